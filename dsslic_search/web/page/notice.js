// Short messages at the bottom of the page, read aloud by screen readers, with one thing that can be done
// about it.

import { button, byId, el } from "./dom.js";

const SHOWN_MS = 6000;

/** Shows a sentence; `action` is {label, run}. A mistake stays until it is closed. */
export function notify(sentence, { action = null, isMistake = false } = {}) {
  const close = () => notice.remove();
  const notice = el(
    "div",
    { class: isMistake ? "notice mistake" : "notice" },
    el("p", {}, sentence),
    action &&
      el("button", { type: "button", class: "button", onclick: () => (close(), action.run()) }, action.label),
    button("close", "Close this message", close),
  );
  // what lies under an open dialog can be neither seen nor clicked
  const home = [...document.querySelectorAll("dialog[open]")].at(-1) ?? document.body;
  if (byId("notices").parentElement !== home) home.append(byId("notices"));
  byId("notices").append(notice);
  while (byId("notices").childElementCount > 3) byId("notices").firstElementChild.remove();
  if (!isMistake) setTimeout(close, SHOWN_MS);
}

/** Tells of what went wrong, unless it was only given up. */
export function tellOf(error) {
  if (error?.name === "AbortError") return;
  notify(error?.message ?? String(error), { isMistake: true });
  if (!error?.status && error?.name !== "Error") console.error(error);
}

/** Says something to screen readers alone. */
export function say(sentence) {
  byId("said").textContent = sentence;
}
