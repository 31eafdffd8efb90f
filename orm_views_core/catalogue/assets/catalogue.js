/* "view_catalogue: catalogue.js" */
/* The search of the index. The page is complete without it: the field is hidden until this runs. */
"use strict";

(() => {
  const box = document.querySelector("[data-search]");
  const field = box.querySelector("input");
  const found = box.querySelector("[data-found]");
  const plain = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  const groups = [...document.querySelectorAll("[data-group]")].map((section) => ({
    section,
    entries: [...section.querySelectorAll("[data-entry]")].map((element) => ({
      element,
      text: plain(`${element.textContent} ${element.dataset.foundBy}`),
    })),
  }));
  const all = groups.reduce((sum, group) => sum + group.entries.length, 0);

  const search = () => {
    const words = plain(field.value).split(/\s+/).filter(Boolean);
    let count = 0;
    for (const { section, entries } of groups) {
      let shown = 0;
      for (const { element, text } of entries) {
        element.hidden = !words.every((word) => text.includes(word));
        shown += element.hidden ? 0 : 1;
      }
      section.hidden = shown === 0;
      count += shown;
    }
    found.textContent = words.length
      ? found.dataset.found.replace("{found}", count).replace("{all}", all)
      : "";
  };

  box.hidden = false;
  field.addEventListener("input", search);
  // A browser that goes back restores the field and tells nobody.
  addEventListener("pageshow", search);
})();
