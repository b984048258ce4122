// The search field: what is typed is read while it is typed, what cannot be read is marked under its word,
// and parts that are understood stand below as chips that can be taken away.

import { api } from "./api.js";
import { Completion } from "./complete.js";
import { byId, el, icon } from "./dom.js";
import { state } from "./state.js";
import { sentence } from "./words.js";

const READ_MS = 140;
const SEARCH_MS = 420; // after the last key, if what stands there can be read

class Search {
  listeners = [];
  reading = null; // the last answer of /api/read

  /** `answered()`: a promise of when the photos of the query that is shown are there. */
  start(answered) {
    this.answered = answered;
    this.input = byId("q");
    this.mirror = byId("q-mirror");
    this.below = byId("reading");
    this.chips = byId("chips");
    this.isTyping = false; // later searches of one typing replace each other in the history
    this.completion = new Completion(this.input, byId("completions"), (text, caret) => {
      this.input.value = text;
      this.input.setSelectionRange(caret, caret);
      this.#typed();
    });
    this.completion.changed = () => this.reading?.text === this.input.value && this.#tell();
    this.input.addEventListener("input", () => {
      this.completion.ask();
      this.#typed();
    });
    this.input.addEventListener("scroll", () => (this.mirror.scrollLeft = this.input.scrollLeft));
    this.input.addEventListener("keydown", (event) => this.#key(event));
    this.input.addEventListener("blur", () => (this.isTyping = false));
    byId("search").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#search();
      this.completion.close();
      this.isTyping = false;
    });
    byId("q-clear").addEventListener("click", () => {
      this.input.value = "";
      this.input.focus();
      this.#mark(null);
      state.search({});
    });
    state.listen((now, before) => {
      if (now.q !== before.q) this.#shown(now.q);
    });
    this.#shown(state.now.q);
  }

  /** Calls `listener(reading)` whenever a query was read without a mistake. */
  onRead(listener) {
    this.listeners.push(listener);
  }

  focus() {
    this.input.focus();
    this.input.select();
  }

  /** Searches for a text that comes from elsewhere, in place of what stands in the field. */
  put(text) {
    this.input.value = text.replace(/\s+/g, " ").slice(0, this.input.maxLength);
    this.input.focus();
    this.#typed();
    this.#search();
  }

  /**
   * The query with one more part. Parts that hold an "or" are put in parentheses, so that it stays theirs.
   */
  with(part, without = () => false) {
    const parts = (this.reading?.chips ?? [])
      .filter((chip) => !without(chip.text, chip))
      .map(({ text }) => (/\bor\b/i.test(text) && !/^\(.*\)$/.test(text) ? `(${text})` : text));
    return [...parts, part].filter(Boolean).join(", ");
  }

  /** Goes on with one more part, once what stands in the field is read. */
  async add(part, without) {
    await this.pending;
    this.refine(this.with(part, without));
  }

  /** Goes on with another query, of the same search. */
  refine(q) {
    state.set({ q, photo: "" });
  }

  #key(event) {
    if (this.completion.key(event)) return;
    if (event.key === "Escape") {
      if (this.input.value !== state.now.q) this.#shown(state.now.q);
      else this.input.blur();
    } else if (event.key === "ArrowDown" && !event.shiftKey) this.completion.ask();
  }

  #typed() {
    byId("q-clear").hidden = !this.input.value;
    this.#mark(null);
    clearTimeout(this.timer);
    clearTimeout(this.searchTimer);
    this.timer = setTimeout(() => this.#read(), READ_MS);
    this.searchTimer = setTimeout(async () => {
      await this.pending;
      if (this.reading && !this.reading.error && this.reading.text === this.input.value) this.#search();
    }, SEARCH_MS);
  }

  #search() {
    clearTimeout(this.searchTimer);
    const q = this.input.value.trim();
    if (q === state.now.q.trim()) return;
    state.set({ q, photo: "" }, { replace: this.isTyping });
    this.isTyping = true;
  }

  #shown(q) {
    if (this.input.value.trim() !== q) this.input.value = q;
    byId("q-clear").hidden = !this.input.value;
    this.#readAfterPhotos();
  }

  /** On a slow line the reading would take the room of the photos that are asked for at the same time. */
  #readAfterPhotos() {
    const pending = Promise.resolve() // until all are told what is asked for
      .then(this.answered)
      .then(() => (pending === this.pending ? this.#fetch() : this.pending));
    this.pending = pending;
  }

  #read() {
    this.pending = this.#fetch();
    return this.pending;
  }

  async #fetch() {
    const text = this.input.value;
    this.giveUp?.abort();
    this.giveUp = new AbortController();
    try {
      const answer = await api.read(text, this.giveUp.signal);
      this.reading = { ...answer, text };
    } catch (error) {
      if (error.name === "AbortError") return;
      this.reading = { exactly: "", error, chips: [], order: null, notes: [], text };
    }
    if (this.input.value !== text) return;
    this.#tell();
    if (!this.reading.error) for (const listener of this.listeners) listener(this.reading);
  }

  #tell() {
    const { error, exactly, notes = [], chips } = this.reading;
    // a word that is still being typed, with completions under it, is no mistake yet
    const isUnfinished = this.completion.isOpen && error?.end === this.reading.text.trimEnd().length;
    if (error && isUnfinished) {
      this.#mark(null);
      this.input.removeAttribute("aria-invalid");
      return this.below.replaceChildren();
    }
    this.#mark(error);
    if (error) {
      this.below.replaceChildren(
        el(
          "p",
          { class: "error", id: "q-error" },
          icon("close"),
          el("span", {}, error.message ?? sentence(error.sentence)),
        ),
        el(
          "div",
          { class: "row" },
          error.suggestions.map((word) =>
            el("button", { type: "button", class: "chip", onclick: () => this.#replace(error, word) }, word),
          ),
        ),
      );
      this.input.setAttribute("aria-invalid", "true");
      return this.#drawChips([]); // those that are there are parts of what was read before
    }
    this.input.removeAttribute("aria-invalid");
    this.below.replaceChildren();
    if (exactly && exactly !== this.reading.text.trim()) {
      this.below.append(el("p", {}, el("span", { class: "muted" }, "Read as "), el("span", {}, exactly)));
    }
    for (const note of notes) this.below.append(el("p", { class: "muted" }, sentence(note)));
    this.#drawChips(chips);
  }

  #drawChips(chips) {
    const shown = chips.length > 1 ? chips : []; // one alone is what stands in the field
    this.chips.replaceChildren(
      ...shown.map((chip) =>
        el(
          "li",
          { class: "chip part", title: chip.reading },
          el("span", {}, chip.text),
          el(
            "button",
            {
              type: "button",
              "aria-label": `Take away ${chip.text}`,
              onclick: () => this.refine(chip.without),
            },
            icon("close"),
          ),
        ),
      ),
    );
  }

  #replace({ start, end }, word) {
    const text = this.input.value;
    this.input.value = start === null ? word : text.slice(0, start) + word + text.slice(end);
    this.input.focus();
    this.#typed();
  }

  /** Underlines the characters that a mistake is about. */
  #mark(error) {
    this.mirror.replaceChildren();
    if (!error || error.start === null || error.start === undefined) return;
    const text = this.input.value;
    const end = Math.max(error.end, error.start + 1);
    this.mirror.append(
      text.slice(0, error.start),
      el("mark", {}, text.slice(error.start, end) || " "),
      text.slice(end),
    );
    this.mirror.scrollLeft = this.input.scrollLeft;
  }
}

export const search = new Search();
