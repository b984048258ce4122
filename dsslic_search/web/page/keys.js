// Keys that work anywhere on the page, and the list of all.

import { openDialog } from "./dialog.js";
import { el } from "./dom.js";

const KEYS = [
  ["/", "Search"],
  ["← → ↑ ↓", "From photo to photo"],
  ["Enter", "Open the photo"],
  ["Space", "Select the photo"],
  ["Shift with an arrow", "Select several"],
  ["Ctrl A", "Select all"],
  ["t", "Tag what is selected"],
  ["Delete", "To the bin"],
  ["p", "Paint a layout"],
  ["m", "Map of places"],
  ["g", "To the photos"],
  ["In a photo: ← →", "The one before, the next"],
  ["o", "What each part is"],
  ["f", "Full screen"],
  ["i", "Facts"],
  ["0 … 5", "Rate"],
  ["Escape", "Close"],
];

/** `actions`: by key, what each does. */
export function startKeys(actions) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (event.target.closest("input, select, textarea, dialog, #detail")) return;
    const action = event.key === "?" ? showKeys : actions[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  });
}

export function showKeys() {
  openDialog(
    "Keys",
    el(
      "dl",
      { class: "keys" },
      KEYS.flatMap(([key, what]) => [el("dt", {}, el("kbd", {}, key)), el("dd", {}, what)]),
    ),
  );
}
