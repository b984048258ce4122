// How much of a class: two handles on one line, from 0 % to 100 %, that become a part of the query.

import { el } from "./dom.js";
import { search } from "./search.js";
import { state } from "./state.js";

const SET_MS = 250;

/** The part of a query for a coverage from `low` to `high`, in whole percent; "" for any. */
export function coverageText(name, low, high) {
  if (low <= 0 && high >= 100) return "";
  if (low <= 0) return `at most ${high}% ${name}`;
  if (high >= 100) return `at least ${low}% ${name}`;
  return `between ${low}% and ${high}% ${name}`;
}

/** `[low, high]` of such a part, or null for any other text. */
export function coverageOf(text, name) {
  const found = /^(?:at most (\d+)%|at least (\d+)%|between (\d+)% and (\d+)%) (.+)$/.exec(text.trim());
  if (!found || found[5] !== name) return null;
  if (found[1]) return [0, Number(found[1])];
  if (found[2]) return [Number(found[2]), 100];
  return [Number(found[3]), Number(found[4])];
}

/**
 * What handles were set to last, `{name, low, high, query}`; `query` is null until it is asked. A reading of
 * the query before may be drawn meanwhile, with a slider anew, which must not take the handles back.
 */
let mine = null;
let timer = null;

const isMine = (name) => mine?.name === name && (mine.query === null || mine.query === state.now.q);

async function ask() {
  const asked = mine;
  const { name, low, high } = asked;
  const isOurs = (text) => text === name || coverageOf(text, name) !== null;
  await search.add(coverageText(name, low, high), isOurs);
  asked.query = state.now.q;
}

function handle(label, value, oninput) {
  return el("input", {
    type: "range",
    min: "0",
    max: "100",
    step: "1",
    value: String(value),
    "aria-label": label,
    oninput,
  });
}

/** A slider for one class. */
export function coverageSlider({ name, colour }) {
  const chip = (search.reading?.chips ?? []).find(({ text }) => coverageOf(text, name));
  let [low, high] = chip ? coverageOf(chip.text, name) : [0, 100];
  if (isMine(name)) ({ low, high } = mine);
  const told = el("output", { class: "slider-told" });
  const fill = el("span", { class: "slider-fill" });
  const tell = () => {
    told.textContent = low <= 0 && high >= 100 ? "any" : `${low}–${high} %`;
    fill.style.left = `${low}%`;
    fill.style.right = `${100 - high}%`;
    fill.style.background = colour;
  };
  const changed = () => {
    low = Math.min(Number(least.value), Number(most.value));
    high = Math.max(Number(least.value), Number(most.value));
    tell();
    clearTimeout(timer);
    mine = { name, low, high, query: null };
    timer = setTimeout(ask, SET_MS);
  };
  const least = handle(`Least coverage of ${name}, in percent`, low, changed);
  const most = handle(`Greatest coverage of ${name}, in percent`, high, changed);
  tell();
  return el("div", { class: "slider" }, el("div", { class: "slider-line" }, fill, least, most), told);
}
