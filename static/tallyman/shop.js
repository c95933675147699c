// The storefront works without this. A quiet sign where a picture can't be loaded:
document.addEventListener("error", ({ target }) => {
    if (target instanceof HTMLImageElement) target.closest(".st-picture")?.classList.add("st-broken");
}, true);

// What was refused because the page is too old is sent as a page, which says so.
document.addEventListener("htmx:responseError", ({ detail }) => {
    if (detail.xhr.status === 403) detail.elt.closest("form")?.submit();
});
