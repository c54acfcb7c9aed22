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

/** In a cell: Enter stays with the entry, a digit begins to change it. */
function ofCell(page, event) {
  const { entry } = event.target;
  if (!entry) return undefined;
  if (event.key === "Enter" || event.key === " ") return () => page.look.go(entry);
  if (canChange(entry.tensor) && /^[\d.-]$/.test(event.key)) return () => page.inspector.changes.type(event.key === "-" ? "" : event.key);
  return undefined;
}

export function listenToKeys(page) {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.target.matches("input, select, textarea")) return;
    const deed = deedOf(page, event);
    if (!deed) return;
    event.preventDefault();
    deed();
  });
}
