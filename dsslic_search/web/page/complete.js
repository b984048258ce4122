// Completion in the search field: a list under it, moved through with the arrows, taken with Enter, Tab or a
// click.

import { api } from "./api.js";
import { el } from "./dom.js";

const WAIT_MS = 90;
const MOST = 9;

export class Completion {
  /** `taken(text, caret)` is called with the whole new text of the field when an item is chosen. */
  constructor(input, list, taken) {
    Object.assign(this, { input, list, taken });
    this.items = [];
    this.chosen = -1;
    this.timer = null;
    this.giveUp = null;
    input.addEventListener("blur", () => setTimeout(() => this.close(), 120));
  }

  get isOpen() {
    return !this.list.hidden;
  }

  /** Asks for completions at the caret, a little later. */
  ask() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#fetch(), WAIT_MS);
  }

  async #fetch() {
    this.giveUp?.abort();
    const giveUp = (this.giveUp = new AbortController());
    const { value, selectionStart } = this.input;
    if (!value.trim() || document.activeElement !== this.input) return this.close();
    try {
      const found = await api.complete(value, selectionStart, giveUp.signal);
      if (this.input.value === value) this.#open(found);
    } catch {
      // completion is a help; without it one types on. One that was given up must not end its successor
      if (this.giveUp === giveUp) this.close();
    }
  }

  #open({ start, end, items }) {
    this.start = start;
    this.end = end;
    this.items = items.slice(0, MOST);
    this.chosen = -1;
    this.list.replaceChildren(
      ...this.items.map((item, i) =>
        el(
          "li",
          {
            role: "option",
            id: `completion-${i}`,
            "aria-selected": "false",
            onpointerdown: (event) => (event.preventDefault(), this.take(i)),
          },
          el("span", { class: "completion-text" }, item.text),
          el("span", { class: "completion-kind" }, item.note || item.kind),
        ),
      ),
    );
    this.list.hidden = !this.items.length;
    this.changed?.();
    this.input.setAttribute("aria-expanded", String(this.isOpen));
    this.input.removeAttribute("aria-activedescendant");
  }

  close() {
    clearTimeout(this.timer);
    this.giveUp?.abort();
    this.list.hidden = true;
    this.chosen = -1;
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
    this.changed?.();
  }

  #choose(i) {
    const options = this.list.children;
    options[this.chosen]?.setAttribute("aria-selected", "false");
    this.chosen = (i + options.length + 1) % (options.length + 1);
    if (this.chosen === options.length) this.chosen = -1;
    const option = options[this.chosen];
    option?.setAttribute("aria-selected", "true");
    option?.scrollIntoView({ block: "nearest" });
    if (option) this.input.setAttribute("aria-activedescendant", option.id);
    else this.input.removeAttribute("aria-activedescendant");
  }

  take(i) {
    const { text } = this.items[i];
    const { value } = this.input;
    const needsMore = /[:@]$/.test(text);
    const behind = value.slice(this.end);
    const put = text + (needsMore || /^[\s,)]/.test(behind) ? "" : " ");
    this.close();
    this.taken(value.slice(0, this.start) + put + behind, this.start + put.length);
    if (needsMore) this.ask();
  }

  /** Whether a key was for the list. */
  key(event) {
    if (!this.isOpen) return false;
    if (event.key === "ArrowDown") this.#choose(this.chosen + 1);
    else if (event.key === "ArrowUp") this.#choose(this.chosen < 0 ? this.items.length - 1 : this.chosen - 1);
    else if (event.key === "Escape") this.close();
    else if ((event.key === "Enter" || event.key === "Tab") && this.chosen >= 0) this.take(this.chosen);
    else return false;
    event.preventDefault();
    return true;
  }
}
