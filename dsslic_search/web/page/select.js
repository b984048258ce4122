// Choosing photos, with the pointer or the keyboard, and what can be done with those chosen.

import { api, exportUrl } from "./api.js";
import { askText, menuButton } from "./dialog.js";
import { button, byId, el } from "./dom.js";
import { notify, say, tellOf } from "./notice.js";
import { state } from "./state.js";
import { count, tagNames } from "./words.js";

const MOST = 10_000; // chosen at once
const PAGE = 1000;
const TABLES = [
  ["CSV", "csv", "photos.csv"],
  ["JSON", "json", "photos.json"],
  ["Parquet", "parquet", "photos.parquet"],
  ["Paths", "paths", "photos.txt"],
];
const IN_BIN = /\bis:removed\b/i;
const LONG_PRESS_MS = 450;
const SHAKE_PX = 12; // that a finger moves without meaning to
const KEPT_MS = 60_000; // a saved file, for the browser to write it

class Selection {
  start(archive, grid, gallery) {
    Object.assign(this, { archive, grid, gallery });
    this.ids = new Set();
    this.anchor = 0;
    this.bar = byId("selection");
    grid.isSelected = (id) => this.ids.has(id);
    grid.element.addEventListener("click", (event) => this.#click(event));
    grid.element.addEventListener("keydown", (event) => this.#key(event));
    grid.element.addEventListener("pointerdown", (event) => this.#press(event));
    grid.element.addEventListener("contextmenu", (event) => this.isTouch && event.preventDefault());
  }

  clear() {
    this.ids.clear();
    this.#tell();
  }

  #placeOf(event) {
    const tile = event.target.closest(".tile");
    return tile ? Number(tile.dataset.place) : null;
  }

  #click(event) {
    const place = this.#placeOf(event);
    if (place === null) return;
    if (this.pressed) return (this.pressed = false);
    if (event.shiftKey) this.#range(place);
    else if (event.ctrlKey || event.metaKey || event.target.closest(".tile-check")) this.#flip(place);
    else if (this.ids.size && this.isTouch) this.#flip(place);
    else this.open(place);
  }

  /** A long press on a touch screen chooses. */
  #press(event) {
    this.pressed = false;
    this.isTouch = event.pointerType === "touch";
    const place = this.#placeOf(event);
    if (!this.isTouch || place === null) return;
    const over = new AbortController();
    const timer = setTimeout(() => {
      this.pressed = true;
      this.#flip(place);
    }, LONG_PRESS_MS);
    over.signal.addEventListener("abort", () => clearTimeout(timer));
    const { signal } = over;
    for (const name of ["pointerup", "pointercancel"]) {
      window.addEventListener(name, () => over.abort(), { signal });
    }
    const moved = ({ clientX, clientY }) => Math.hypot(clientX - event.clientX, clientY - event.clientY);
    window.addEventListener("pointermove", (there) => moved(there) > SHAKE_PX && over.abort(), { signal });
  }

  open(place) {
    const photo = this.grid.results.at(place);
    if (!photo) return;
    this.grid.focus(place);
    state.set({ photo: String(photo.id) }, { place });
  }

  #flip(place) {
    const photo = this.grid.results.at(place);
    if (!photo) return;
    if (!this.ids.delete(photo.id)) this.ids.add(photo.id);
    this.anchor = place;
    this.grid.focus(place);
    this.#tell();
  }

  /** Chooses all from the anchor to a place, also those that were never seen. */
  async #range(place) {
    const { results } = this.grid;
    const from = Math.min(this.anchor, place);
    const to = Math.max(this.anchor, place);
    this.grid.focus(place);
    const known = results.between(from, to);
    if (known.length === to - from + 1) for (const { id } of known) this.ids.add(id);
    else await this.#choose(from, to + 1);
    if (results === this.grid.results) this.#tell();
  }

  #key(event) {
    const place = this.#placeOf(event);
    if (place === null) return;
    const { grid } = this;
    const last = grid.results.total - 1;
    const moves = {
      ArrowRight: () => place + 1,
      ArrowLeft: () => place - 1,
      ArrowDown: () => grid.beside(place, 1),
      ArrowUp: () => grid.beside(place, -1),
      Home: () => 0,
      End: () => last,
      PageDown: () => grid.beside(grid.beside(grid.beside(place, 1), 1), 1),
      PageUp: () => grid.beside(grid.beside(grid.beside(place, -1), -1), -1),
    };
    if (moves[event.key]) {
      const next = Math.min(Math.max(moves[event.key](), 0), last);
      if (event.shiftKey) this.#range(next);
      else {
        this.anchor = next;
        grid.focus(next);
      }
    } else if (event.key === "Enter") this.open(place);
    else if (event.key === " ") this.#flip(place);
    else if (event.key === "a" && (event.ctrlKey || event.metaKey)) this.all();
    else if (event.key === "Escape" && this.ids.size) this.clear();
    else if (event.key === "Delete" && !this.archive.readOnly) {
      if (!this.ids.size) this.#flip(place);
      this.bin();
    } else if (event.key === "t" && this.ids.size) this.tag();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** Chooses all that were found, as far as so many may be chosen. */
  async all() {
    const { results } = this.grid;
    await this.#choose(0, results.total);
    if (results === this.grid.results) this.#tell();
  }

  /** Chooses the photos from one place to before another, as the server lists them. */
  async #choose(from, end) {
    const { results } = this.grid;
    const last = Math.min(end, from + MOST);
    const page = Math.min(PAGE, this.archive.limits?.rows ?? PAGE);
    try {
      for (let start = from; start < last; start += page) {
        const asked = { ...results.asked, start: start || "", limit: Math.min(page, last - start) };
        const { objects } = await api.query(asked);
        if (results !== this.grid.results) return; // something else was asked for meanwhile
        for (const { id } of objects) this.ids.add(id);
      }
    } catch (error) {
      tellOf(error);
    }
    if (end > last) notify(`No more than ${count(MOST, "photo")} are selected at once.`);
  }

  #tell() {
    for (const tile of this.grid) tile.selected = this.ids.has(tile.photo.id);
    const n = this.ids.size;
    document.documentElement.classList.toggle("selecting", n > 0);
    this.bar.hidden = n === 0;
    if (!n) return;
    say(`${count(n, "photo")} selected`);
    if (!this.built) this.#build();
    this.built.textContent = `${count(n, "photo")}`;
    const inBin = IN_BIN.test(state.now.q);
    this.restoreButton.hidden = !inBin;
    this.binButton.hidden = inBin;
  }

  #build() {
    const writes = !this.archive.readOnly;
    this.built = el("strong", {});
    this.binButton = button("bin", "To the bin", () => this.bin());
    this.restoreButton = button("restore", "Bring back", () => this.restore());
    const stars = Array.from({ length: 6 }, (_, n) => [n ? "★".repeat(n) : "No rating", () => this.rate(n)]);
    this.bar.replaceChildren(
      button("close", "Select none", () => this.clear()),
      this.built,
      button("check", "Select all", () => this.all()),
      ...(writes
        ? [
            button("tag", "Tag", () => this.tag()),
            this.archive.canRate ? menuButton("star", "Rate", stars) : "",
            this.binButton,
            this.restoreButton,
          ]
        : []),
      menuButton("download", "Export", () => this.#exports()),
    );
  }

  #exports() {
    const { results } = this.grid;
    const { q, ...others } = results.asked;
    const isWhole = this.ids.size === results.total && Object.values(others).every((value) => !value);
    const chosen = isWhole && q ? { q } : { ids: [...this.ids].join(",") };
    return [
      ...TABLES.map(([label, format, name]) => [
        label,
        () => this.#do(() => save(exportUrl({ ...chosen, format }), name)),
      ]),
      ["ZIP of originals", exportUrl({ ...chosen, format: "zip" })], // may be large: straight to the disk
    ];
  }

  async tag() {
    const text = await askText("Tag these photos", "Tags, by commas; -tag takes one away", { action: "Tag" });
    if (!text) return;
    const names = tagNames(text);
    const add = names.filter((name) => !name.startsWith("-"));
    const remove = names.filter((name) => name.startsWith("-")).map((name) => name.replace(/^-+/, ""));
    const ids = [...this.ids];
    await this.#do(
      () => this.#inParts(ids, (part) => api.tag(part, add, remove)),
      () => {
        this.gallery.changed(ids, (photo) => {
          const kept = (photo.tags ?? []).filter((name) => !remove.includes(name));
          photo.tags = [...new Set([...kept, ...add])].sort();
        });
        notify(`${count(ids.length, "photo")} tagged.`);
      },
    );
  }

  async rate(rating) {
    const ids = [...this.ids];
    await this.#do(
      () => this.#inParts(ids, (part) => api.rate(part, rating)),
      () => this.gallery.changed(ids, (photo) => (photo.rating = rating || null)),
    );
  }

  /** Asks again when photos have left the answer; with the keyboard one goes on from the same place. */
  #leaving() {
    const isByKey = document.activeElement?.matches(":focus-visible");
    const place = this.grid.focused;
    return async () => {
      this.clear();
      await this.gallery.again();
      if (isByKey) this.grid.focus(place);
    };
  }

  async bin() {
    const ids = [...this.ids];
    const left = this.#leaving();
    const undo = {
      label: "Bring back",
      run: () =>
        this.#do(
          () => this.#inParts(ids, api.restore),
          () => this.gallery.again(),
        ),
    };
    await this.#do(
      () => this.#inParts(ids, api.bin),
      () => {
        left();
        notify(`${count(ids.length, "photo")} went to the bin.`, { action: undo });
      },
    );
  }

  async restore() {
    const ids = [...this.ids];
    const left = this.#leaving();
    await this.#do(
      () => this.#inParts(ids, api.restore),
      () => {
        left();
        notify(`${count(ids.length, "photo")} are back.`);
      },
    );
  }

  /** So many at once as the server takes. */
  async #inParts(ids, run) {
    const most = Math.min(PAGE, this.archive.limits?.rows ?? PAGE);
    for (let at = 0; at < ids.length; at += most) await run(ids.slice(at, at + most));
  }

  async #do(work, then = () => {}) {
    try {
      await work();
      then();
    } catch (error) {
      tellOf(error);
    }
  }
}

/** Saves what an address gives under a name; a mistake is told, and not saved in its place. */
async function save(url, name) {
  const href = URL.createObjectURL(await api.download(url));
  el("a", { href, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(href), KEPT_MS);
}

export const selection = new Selection();
