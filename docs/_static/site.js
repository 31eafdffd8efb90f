/* What Furo's pages lack for people who use a keyboard or a screen reader. */

const NAMES = { ".sidebar-drawer": "Site", ".toc-drawer": "This page" };

for (const [part, name] of Object.entries(NAMES)) {
  document.querySelector(part)?.setAttribute("aria-label", name);
}

for (const caption of document.querySelectorAll(".caption[role=heading]")) {
  caption.setAttribute("aria-level", "2");
}

/* The arguments of a signature are no list of terms, though Sphinx writes them as one. */
for (const list of document.querySelectorAll("dt.sig dl")) list.setAttribute("role", "none");

/* Code and tables that are wider than the page scroll inside; the arrow keys scroll what has the focus. */
function letFocus() {
  for (const part of document.querySelectorAll("article pre, article .table-wrapper")) {
    if (part.scrollWidth > part.clientWidth) part.tabIndex = 0;
    else part.removeAttribute("tabindex");
  }
}

letFocus();
addEventListener("resize", letFocus);
