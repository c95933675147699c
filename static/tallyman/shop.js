// The storefront works without this: it only puts a quiet sign where a picture can't be loaded.
document.addEventListener("error", ({ target }) => {
    if (target instanceof HTMLImageElement) target.closest(".st-picture")?.classList.add("st-broken");
}, true);
