// What a query asks to count photos by, as in "how many photos per year": a table with a bar for each value,
// to click.

import { byId, el } from "./dom.js";
import { search } from "./search.js";
import { count, month, number } from "./words.js";

const SHOWN = 12; // of more the others come when they are asked for
const LACKING = { year: "a date", month: "a date", camera: "a camera", lens: "a lens", format: "a format" };

class Tally {
  /** `tally`: of an answer of /api/facets; null for a query that asks for no counts. */
  show(tally) {
    this.element = byId("tally");
    this.element.classList.remove("of-before");
    this.element.hidden = !tally;
    this.tally = tally;
    this.isWhole = false;
    this.#draw();
  }

  /** What is shown is of the query before until it is counted again. */
  await() {
    byId("tally").classList.add("of-before");
  }

  #draw() {
    if (!this.tally) return this.element.replaceChildren();
    const { by, values, more, without } = this.tally;
    const most = values.reduce((greatest, each) => Math.max(greatest, each.count), 1);
    const shown = this.isWhole ? values : values.slice(0, SHOWN);
    const head = (text, options = {}) => el("th", { scope: "col", ...options }, text);
    this.element.replaceChildren(
      el(
        "table",
        {},
        el("caption", {}, `Photos per ${by}`),
        el(
          "thead",
          {},
          el("tr", {}, head(by.charAt(0).toUpperCase() + by.slice(1)), head("Photos", { colSpan: 2 })),
        ),
        el(
          "tbody",
          {},
          shown.map((each) => this.#row(by, each, most)),
        ),
      ),
      ...(values.length > SHOWN ? [this.#toggle(values.length, more)] : []),
      ...(without
        ? [el("p", { class: "muted" }, `${count(without, "photo")} without ${LACKING[by]}`)]
        : []),
    );
  }

  #row(by, { name, count: photos, query }, most) {
    const bar = el("span", { class: "tally-bar" });
    bar.style.width = `${(100 * photos) / most}%`;
    const shown = by === "month" ? month(name) : name;
    return el(
      "tr",
      {},
      el(
        "th",
        { scope: "row" },
        el("button", { type: "button", class: "link", onclick: () => search.refine(query) }, shown),
      ),
      el("td", {}, number(photos)),
      el("td", { class: "tally-bars", "aria-hidden": "true" }, bar),
    );
  }

  #toggle(given, all) {
    const others = given < all ? `The first ${number(given)} of ${number(all)}` : `All ${number(all)}`;
    return el(
      "button",
      {
        type: "button",
        class: "link",
        onclick: () => {
          this.isWhole = !this.isWhole;
          this.#draw();
          this.element.querySelector(":scope > button")?.focus();
        },
      },
      this.isWhole ? "Fewer" : others,
    );
  }
}

export const tally = new Tally();
