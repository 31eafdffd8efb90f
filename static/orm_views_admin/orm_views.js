/* Every page works without this file. It uses no framework, no inline handlers and no inline styles. */
"use strict";

(() => {
  /* Replaces the planner's estimates by exact numbers of rows, with two requests at a time. */
  const COUNTS_AT_ONCE = 2;

  const fillCounts = () => {
    const waiting = [...document.querySelectorAll("[data-count-url]")];
    const gone = new AbortController();
    window.addEventListener("pagehide", () => gone.abort(), { once: true });

    const next = async () => {
      // A hidden page sends no requests.
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

  /* Adds a button to SQL that copies it. */
  const addCopyButtons = () => {
    if (!navigator.clipboard) return;
    for (const frame of document.querySelectorAll("[data-copy]")) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "button";
      button.textContent = frame.dataset.copy;
      button.setAttribute("aria-live", "polite");
      frame.querySelector(".ov-code-bar").append(button);
      button.addEventListener("click", async () => {
        const parts = [...frame.querySelectorAll("code")].map((code) => code.textContent);
        await navigator.clipboard.writeText(parts.join("\n"));
        button.textContent = frame.dataset.copied;
        window.setTimeout(() => { button.textContent = frame.dataset.copy; }, 2000);
      });
    }
  };

  /* Prevents that a form is submitted twice. */
  const sendOnce = () => {
    for (const form of document.querySelectorAll("form[data-once]")) {
      form.addEventListener("submit", (event) => {
        if (form.dataset.sent) {
          event.preventDefault();
          return;
        }
        form.dataset.sent = "yes";
        // Later, when the browser has collected the fields: the name of a disabled button is not submitted.
        window.setTimeout(() => {
          for (const button of form.querySelectorAll("[type=submit]")) button.disabled = true;
        });
      });
    }
    // The browser's back button restores the page with its disabled buttons.
    window.addEventListener("pageshow", (event) => {
      if (!event.persisted) return;
      for (const form of document.querySelectorAll("form[data-sent]")) {
        delete form.dataset.sent;
        for (const button of form.querySelectorAll("[type=submit]")) button.disabled = false;
      }
    });
  };

  /* Shows how many rows are selected, and adds a checkbox that selects all. */
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

  /* Updates the page of runs. The time between requests grows, but there is a request at the usual end of a run.
     There are none while the page is hidden or when all runs have ended.
     Only texts and attributes change, so that focus, selection, scroll position and open details stay. */
  const SOONEST = 400;
  const LATEST = 10000;

  const setText = (element, text) => {
    if (element && element.textContent !== text) element.textContent = text;
  };

  const followRuns = () => {
    const root = document.querySelector("[data-state-url]");
    if (!root) return;
    const number = new Intl.NumberFormat(document.documentElement.lang || undefined);
    const running = new Map();
    let active = true;
    let wait = SOONEST;
    let timer = 0;
    let asking = null;
    let seen = "";

    const inWords = (seconds) => {
      const whole = Math.floor(seconds);
      const { seconds: s, minutes: m, hours: h } = root.dataset;
      const words = whole < 60 ? s : whole < 3600 ? m : h;
      return words
        .replace("%h", number.format(Math.floor(whole / 3600)))
        .replace("%m", number.format(Math.floor(whole / 60) % 60))
        .replace("%n", number.format(whole % 60));
    };

    const showProgress = (progress, elapsed, usual) => {
      if (elapsed < usual) {
        progress.max = usual;
        progress.value = elapsed;
      } else {
        progress.removeAttribute("value"); // the run waits, takes longer than usual, or has no usual duration
      }
    };

    // Updates the elapsed time between two responses.
    const tick = () => {
      for (const [section, run] of running) {
        const elapsed = run.elapsed + (performance.now() - run.at) / 1000;
        setText(section.querySelector("[data-elapsed]"), inWords(elapsed));
        const share = run.share || [elapsed, run.texts.waiting ? 0 : Number(section.dataset.usual)];
        showProgress(section.querySelector("progress"), ...share);
      }
    };

    const showSteps = (section, steps) => {
      const list = section.querySelector("[data-steps]");
      section.querySelector("[data-when-steps]").hidden = !steps.length;
      steps.forEach((step, i) => {
        let item = list.children[i];
        if (!item) {
          item = document.createElement("li");
          for (const name of ["ov-sign", "visually-hidden", "ov-step-text", "quiet"]) {
            const part = document.createElement("span");
            part.className = name;
            if (name === "ov-sign") part.ariaHidden = "true";
            item.append(part);
          }
          list.append(item);
        }
        item.className = `ov-step-${step.state}`;
        [step.sign, step.word, step.text, step.seconds].forEach((text, n) => setText(item.children[n], text));
      });
      while (list.children.length > steps.length) list.lastElementChild.remove();
    };

    const leave = (form) => {
      if (form.hidden) return;
      const hadFocus = form.contains(document.activeElement);
      form.hidden = true;
      if (hadFocus) root.querySelector("[data-standing]").focus();
    };

    const show = (section, run) => {
      for (const element of section.querySelectorAll("[data-text]")) {
        const key = element.dataset.text;
        if (!(run.running && key === "elapsed")) setText(element, run.texts[key]);
        if (run.times[key]) element.dateTime = run.times[key];
      }
      for (const element of section.querySelectorAll("[data-when]")) element.hidden = !run.texts[element.dataset.when];
      const badge = section.querySelector("[data-badge]");
      badge.className = `ov-badge ov-${run.colour}`;
      badge.querySelector("path").setAttribute("d", run.icon);
      section.querySelector("progress").hidden = !run.running;
      showSteps(section, run.steps);
      if (run.running) running.set(section, { ...run, at: performance.now() });
      else running.delete(section);
      if (!run.active) section.querySelectorAll("[data-while-active]").forEach(leave);
    };

    const untilUsualEnd = () => {
      const now = performance.now();
      const rest = [...running].map(([section, run]) => (section.dataset.usual - run.elapsed) * 1000 + run.at - now);
      return Math.min(...rest.filter((time) => time > 0)) + SOONEST;
    };

    const plan = () => {
      window.clearTimeout(timer);
      if (active && !document.hidden) timer = window.setTimeout(ask, Math.min(wait, untilUsualEnd()));
    };

    const ask = async () => {
      if (asking || !active || document.hidden) return;
      asking = new AbortController();
      try {
        const response = await fetch(root.dataset.stateUrl, {
          headers: { Accept: "application/json" },
          signal: asking.signal,
          redirect: "error",
        });
        if (!response.ok) throw new Error(response.statusText);
        const state = await response.json();
        for (const run of state.runs) {
          const section = root.querySelector(`[data-run="${run.id}"]`);
          if (section) show(section, run);
        }
        tick();
        setText(root.querySelector("[data-standing]"), state.standing);
        document.title = document.title.replace(root.dataset.title, () => state.title);
        root.dataset.title = state.title;
        root.querySelector("[data-reload]").hidden = true;
        active = state.active;
        if (!active) root.querySelectorAll("[data-while-active]").forEach(leave);
        const now = JSON.stringify(state.runs.map((run) => [run.state, run.texts.waiting, run.steps.length]));
        const latest = state.runs.some((run) => run.share) ? LATEST / 5 : LATEST; // its rows are counted
        wait = now === seen ? Math.min(wait * 1.4, latest) : SOONEST;
        seen = now;
      } catch (error) {
        root.querySelector("[data-reload]").hidden = false;
        wait = Math.min(wait * 2, LATEST);
      }
      asking = null;
      plan();
    };

    const ticking = window.setInterval(() => {
      if (!active) window.clearInterval(ticking);
      else if (!document.hidden) tick();
    }, 1000);
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) asking?.abort();
      else wait = SOONEST;
      plan();
    });
    window.addEventListener("pagehide", () => asking?.abort());
    window.addEventListener("pageshow", (event) => { if (event.persisted) plan(); });
    plan();
  };

  // The picture of a graph is scrolled to what it is about.
  const showFocus = () => {
    for (const box of document.querySelectorAll(".ov-graph-frame .ov-focus")) {
      const frame = box.closest(".ov-graph-frame");
      const [outer, inner] = [frame, box].map((element) => element.getBoundingClientRect());
      frame.scrollLeft += inner.left + inner.width / 2 - outer.left - outer.width / 2;
    }
  };

  addCopyButtons();
  sendOnce();
  countSelected();
  fillCounts();
  followRuns();
  showFocus();
})();
