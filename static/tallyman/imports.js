// Comfort only: every page of imports works without it.
(() => {
    const size = (bytes) => {
        const units = ["bytes", "kB", "MB", "GB"];
        const step = Math.min(3, Math.floor(Math.log(Math.max(bytes, 1)) / Math.log(1024)));
        return `${(bytes / 1024 ** step).toLocaleString(undefined, { maximumFractionDigits: step ? 1 : 0 })} ${units[step]}`;
    };

    // Upload: drag and drop, the file's name, and no upload of what would be refused for its size.
    for (const form of document.querySelectorAll("[data-upload]")) {
        const drop = form.querySelector("[data-drop]");
        const input = form.querySelector("input[type=file]");
        const title = form.querySelector(".im-drop-title");
        const tooLarge = form.querySelector("[data-too-large]");
        const button = form.querySelector(".im-main");
        form.querySelector("[data-with-script]").hidden = false;
        input.hasChangeListener = true; // or Unfold looks for a text field beside it, and fails

        const show = () => {
            const file = input.files[0];
            const limit = Number(form.dataset.limit);
            if (file) title.textContent = `${file.name} (${size(file.size)})`;
            tooLarge.hidden = button.disabled = false;
            if (file && file.size > limit) {
                tooLarge.textContent = `${file.name} has ${size(file.size)}, more than the ${size(limit)} that are allowed. Split it into several files.`;
                button.disabled = true;
            } else {
                tooLarge.hidden = true;
            }
        };
        input.addEventListener("change", show);
        for (const event of ["dragenter", "dragover"]) {
            drop.addEventListener(event, (e) => { e.preventDefault(); drop.classList.add("im-over"); });
        }
        drop.addEventListener("dragleave", () => drop.classList.remove("im-over"));
        drop.addEventListener("drop", (e) => {
            e.preventDefault();
            drop.classList.remove("im-over");
            if (e.dataTransfer.files.length) {
                input.files = e.dataTransfer.files;
                show();
            }
        });
    }

    // Mapping: what other choices make of the sample comes by itself (HTMX); other settings read the file again.
    for (const form of document.querySelectorAll("[data-confirm-mapping]")) {
        const look = form.querySelector("[data-look-button]");
        look.hidden = true;
        for (const part of form.querySelectorAll("[data-without-script]")) part.hidden = true;
        for (const select of form.querySelectorAll("[data-look]")) {
            select.addEventListener("change", () => form.requestSubmit(look));
        }
    }

    // Live parts renew themselves every second: not under a button that is being pressed, or the press is lost.
    document.addEventListener("htmx:beforeSwap", (event) => {
        const { target, xhr } = event.detail;
        if (xhr.status === 200 && target.querySelector(":active")) event.detail.shouldSwap = false;
    });

    // A second click must not send a form twice.
    document.addEventListener("submit", (event) => {
        const button = event.submitter;
        if (button?.dataset.busy) {
            button.textContent = button.dataset.busy;
            button.setAttribute("aria-busy", "true");
            setTimeout(() => { button.disabled = true; });
        }
    });
    addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
})();
