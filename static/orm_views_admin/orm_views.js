/* Comforts only: every page works without this file. No framework, no inline handlers, no styles set from here. */
"use strict";

(() => {
  /* Exact row counts, two at a time, in place of the planner's estimates. */
  const COUNTS_AT_ONCE = 2;

  const fillCounts = () => {
    const waiting = [...document.querySelectorAll("[data-count-url]")];
    const gone = new AbortController();
    window.addEventListener("pagehide", () => gone.abort(), { once: true });

    const next = async () => {
      // A page that nobody looks at asks for nothing.
      if (document.hidden) {
        document.addEventListener("visibilitychange", next, { once: true });
        return;
      }
      const cell = waiting.shift();
      if (!cell) return;
      try {
        const response = await fetch(cell.dataset.countUrl, {
          headers: { Accept: "application/json" },
          signal: gone.signal,
          redirect: "error",
        });
        if (response.ok) {
          const count = await response.json();
          cell.textContent = count.text;
          cell.title = count.title;
        }
      } catch (error) {
        if (gone.signal.aborted) return;
      }
      await next();
    };
    for (let i = 0; i < COUNTS_AT_ONCE; i += 1) next();
  };

  /* A button that copies the SQL beside it. */
  const addCopyButtons = () => {
    if (!navigator.clipboard) return;
    for (const code of document.querySelectorAll("[data-copy]")) {
      const frame = document.createElement("div");
      frame.className = "ov-copy-frame";
      const button = document.createElement("button");
      button.type = "button";
      button.className = "button";
      button.textContent = code.dataset.copy;
      button.setAttribute("aria-live", "polite");
      code.replaceWith(frame);
      frame.append(code, button);
      button.addEventListener("click", async () => {
        await navigator.clipboard.writeText(code.textContent);
        button.textContent = code.dataset.copied;
        window.setTimeout(() => { button.textContent = code.dataset.copy; }, 2000);
      });
    }
  };

  /* A form that acts is sent once. */
  const sendOnce = () => {
    for (const form of document.querySelectorAll("form[data-once]")) {
      form.addEventListener("submit", (event) => {
        if (form.dataset.sent) {
          event.preventDefault();
          return;
        }
        form.dataset.sent = "yes";
        // After the browser has collected the fields: a disabled button would not be among them.
        window.setTimeout(() => {
          for (const button of form.querySelectorAll("[type=submit]")) button.disabled = true;
        });
      });
    }
    // Coming back with the browser's own button shows the page as it was left.
    window.addEventListener("pageshow", (event) => {
      if (!event.persisted) return;
      for (const form of document.querySelectorAll("form[data-sent]")) {
        delete form.dataset.sent;
        for (const button of form.querySelectorAll("[type=submit]")) button.disabled = false;
      }
    });
  };

  /* How many rows are ticked, and one button for all of them. */
  const countSelected = () => {
    const status = document.querySelector(".ov-selected");
    const boxes = [...document.querySelectorAll(".ov-select")];
    if (!status || !boxes.length) return;
    const all = document.createElement("input");
    all.type = "checkbox";
    all.className = "ov-select-all";
    all.setAttribute("aria-label", status.dataset.all);
    all.title = status.dataset.all;
    status.before(all);
    const show = () => {
      const ticked = boxes.filter((box) => box.checked).length;
      status.textContent = ticked ? status.dataset.some.replace("%n", ticked) : status.dataset.none;
      all.checked = ticked === boxes.length;
      all.indeterminate = ticked > 0 && ticked < boxes.length;
    };
    all.addEventListener("change", () => {
      for (const box of boxes) box.checked = all.checked;
      show();
    });
    for (const box of boxes) box.addEventListener("change", show);
    show();
  };

  addCopyButtons();
  sendOnce();
  countSelected();
  fillCounts();
})();
