// The keys of the page, apart from the arrows inside a matrix.

import { canChange } from "./state.js";

/** What a key does, or undefined. */
function deedOf(page, event) {
  const { state, look, stepper } = page;
  if (event.key === "z" && (event.ctrlKey || event.metaKey)) return () => (event.shiftKey ? state.redo() : state.undo());
  if (event.ctrlKey || event.metaKey || event.altKey) return undefined;
  const deeds = {
    ".": () => stepper.move(1),
    ",": () => stepper.move(-1),
    u: () => state.undo(),
    r: () => state.redo(),
    Backspace: () => look.back(),
    d: () => page.turnOver(),
  };
  return deeds[event.key] ?? ofCell(page, event);
}

/** In a cell: Enter stays with the entry. */
function ofCell(page, { target, key }) {
  return target.entry && (key === "Enter" || key === " ") ? () => page.look.go(target.entry) : undefined;
}

/** In a cell that may change: a digit or a sign is the first of its new number. */
const beginsNumber = (page, { target, key, ctrlKey, metaKey, altKey }) =>
  target.entry && canChange(target.entry.tensor) && !page.chain.unknown.length && !(ctrlKey || metaKey || altKey) && /^[\d-]$/.test(key);

export function listenToKeys(page) {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.target.matches("input, select, textarea")) return;
    const deed = deedOf(page, event);
    if (deed) {
      event.preventDefault();
      deed();
    } else if (beginsNumber(page, event)) page.inspector.changes.clear(); // where the key is written, once this has run
  });
}
