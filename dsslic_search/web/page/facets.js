// What the photos found have in common, counted, to click: classes with sliders, words, cameras, lenses,
// folders, tags, ratings, formats.

import { api } from "./api.js";
import { byId, el, icon } from "./dom.js";
import { places } from "./places.js";
import { search } from "./search.js";
import { coverageOf, coverageSlider } from "./sliders.js";
import { state } from "./state.js";
import { tally } from "./tally.js";
import { timeline } from "./timeline.js";
import { number } from "./words.js";

const SHOWN = 8;
const GROUPS = [
  ["classes", "Shows"],
  ["words", "Words"],
  ["people", "People"],
  ["tags", "Tags"],
  ["keywords", "Keywords"],
  ["ratings", "Ratings"],
  ["folders", "Folders"],
  ["cameras", "Cameras"],
  ["lenses", "Lenses"],
  ["formats", "Formats"],
  ["orientations", "Shapes"],
];
const OPEN_AT_FIRST = new Set(["classes", "words", "tags"]);

class Facets {
  start(classes) {
    this.colours = new Map(classes.map((each) => [each.name, each.colour]));
    this.open = new Set(OPEN_AT_FIRST);
    this.whole = new Set(); // groups of which all values are shown
    this.sliding = null; // the class whose slider is open
    this.element = byId("facets");
    search.onRead(() => this.#draw());
  }

  /** What is shown is of the query before until it is counted again, which asks for nothing as yet. */
  await() {
    this.giveUp?.abort();
    this.element.classList.add("of-before");
    tally.await();
  }

  /** Counts what the query of now finds. */
  async update() {
    this.giveUp?.abort();
    this.giveUp = new AbortController();
    try {
      this.found = await api.facets(state.now.q, this.giveUp.signal);
    } catch (error) {
      if (error.name === "AbortError") return;
      this.found = null; // the search tells of the mistake
    }
    this.element.classList.remove("of-before");
    this.#draw();
    tally.show(this.found?.tally ?? null);
    timeline.show(this.found?.months ?? [], this.found?.undated ?? 0);
    places.show(this.found?.places ?? []);
  }

  #draw() {
    if (!this.element) return;
    if (!this.found) return this.element.replaceChildren();
    const focused = document.activeElement?.dataset?.facet;
    this.element.replaceChildren(...GROUPS.map(([key, title]) => this.#group(key, title)).filter(Boolean));
    if (focused) this.element.querySelector(`[data-facet="${CSS.escape(focused)}"]`)?.focus();
  }

  #group(key, title) {
    const values = this.found[key] ?? [];
    if (!values.length) return null;
    const all = this.found.more?.[key] ?? values.length;
    const isOpen = this.open.has(key);
    const most = values.reduce((greatest, { count }) => Math.max(greatest, count), 1);
    const shown = this.whole.has(key) ? values : values.slice(0, SHOWN);
    return el(
      "section",
      { class: "facet" },
      el(
        "h3",
        {},
        el(
          "button",
          {
            type: "button",
            "aria-expanded": String(isOpen),
            data: { facet: `group ${key}` },
            onclick: () => this.#toggle(this.open, key),
          },
          el("span", {}, title),
          el("span", { class: "facet-number" }, number(all)),
          icon("down"),
        ),
      ),
      isOpen &&
        el(
          "ul",
          {},
          shown.map((value) => this.#value(key, value, most)),
        ),
      isOpen &&
        values.length > SHOWN &&
        el(
          "button",
          {
            type: "button",
            class: "link",
            data: { facet: `more ${key}` },
            onclick: () => this.#toggle(this.whole, key),
          },
          this.whole.has(key) ? "Fewer" : numbered(values.length, all),
        ),
    );
  }

  #value(key, { name, count, query }, most) {
    const colour = key === "classes" ? this.colours.get(name) : null;
    const share = el("span", { class: "facet-share" });
    share.style.width = `${(100 * count) / most}%`;
    const swatch = colour && el("span", { class: "swatch" });
    if (swatch) swatch.style.background = colour;
    const isUsed = this.#isAsked(name);
    const slides = key === "classes" && (this.sliding === name || isUsed);
    return el(
      "li",
      {},
      el(
        "div",
        { class: "facet-line" },
        el(
          "button",
          {
            type: "button",
            class: "facet-value",
            data: { facet: `${key} ${name}` },
            "aria-pressed": isUsed ? "true" : null,
            title: name,
            onclick: () => search.refine(query),
          },
          swatch,
          el("span", { class: "facet-name" }, key === "ratings" ? stars(name) : shortened(key, name)),
          el("span", { class: "facet-count" }, number(count)),
          share,
        ),
        key === "classes" &&
          el(
            "button",
            {
              type: "button",
              class: "facet-how",
              "aria-label": `How much ${name}`,
              "aria-expanded": String(slides),
              data: { facet: `how ${name}` },
              onclick: () => ((this.sliding = this.sliding === name ? null : name), this.#draw()),
            },
            "%",
          ),
      ),
      slides && coverageSlider({ name, colour }),
    );
  }

  #isAsked(name) {
    return (search.reading?.chips ?? []).some(({ text }) => text === name || coverageOf(text, name));
  }

  #toggle(set, key) {
    if (!set.delete(key)) set.add(key);
    this.#draw();
  }
}

function numbered(shown, all) {
  return shown < all ? `${number(shown)} of ${number(all)}` : `All ${number(all)}`;
}

function stars(name) {
  const n = Math.round(Number(name));
  return n > 0 ? "★".repeat(n) : name;
}

function shortened(key, name) {
  if (key !== "folders") return name;
  return name.split("/").filter(Boolean).slice(-2).join("/") || name;
}

export const facets = new Facets();
