// Keys: "/" search, "g d|p|o|w" go to a page, "?" help, Esc closes.

const CHORD_MS = 1200;
let chordUntil = 0;

function isTyping(target) {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

function closeOpenMenus() {
  for (const menu of document.querySelectorAll("details.user-menu[open]")) menu.open = false;
}

function focusSearch() {
  const search = document.querySelector("[data-search]");
  if (search) search.focus();
  else document.querySelector("[data-opens-search]")?.click();
}

export function bindKeys() {
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") closeOpenMenus();
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    if (performance.now() < chordUntil) {
      chordUntil = 0;
      document.querySelector(`[data-go="${CSS.escape(event.key)}"]`)?.click();
    } else if (event.key === "g") {
      chordUntil = performance.now() + CHORD_MS;
    } else if (event.key === "/") {
      event.preventDefault();
      focusSearch();
    } else if (event.key === "?") {
      document.querySelector("dialog[data-help]")?.showModal();
    }
  });
  document.addEventListener("click", (event) => {
    const target = event.target instanceof Element ? event.target : null;
    if (!target?.closest("details.user-menu")) closeOpenMenus();
    const opener = target?.closest("[data-opens]");
    if (opener) document.querySelector(opener.dataset.opens)?.showModal();
    if (target?.closest("[data-closes]")) target.closest("dialog")?.close();
    if (target instanceof HTMLDialogElement) target.close();
  });
}
