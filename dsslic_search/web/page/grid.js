// The gallery: all results as one long page of which only what is near the window exists. Photos come in
// blocks; a block whose photos are not known yet has the height that such blocks had so far, and what is seen
// does not move when it is known.

import { el } from "./dom.js";
import { justify, shownRatio } from "./justify.js";
import { isLineSlow } from "./line.js";
import { BLOCK } from "./results.js";
import { Tile } from "./tile.js";
import { wait } from "./time.js";

const NEAR = 1.2; // windows above and below that are kept filled
const GAP = 4;
const MARGIN = 8; // above and below a photo that is scrolled to
const REST_MS = 200;
const PICTURES_FIRST_MS = 4000; // that pictures get on a slow line before anything else is asked for

function wantedHeight(width) {
  if (width < 480) return 132;
  if (width < 900) return 176;
  return width < 2000 ? 224 : 288;
}

const isWithin = (block, [first, last]) => block >= first && block <= last;

export class Grid {
  /**
   * `scroller` is what scrolls, `element` the list in it. `onRest(place)`: the first photo that is seen, when
   * scrolling came to rest.
   */
  constructor(scroller, element, { classes, onError, onRest }) {
    Object.assign(this, { scroller, element, classes, onError, onRest });
    this.results = null;
    this.laid = new Map(); // block → {boxes, height, rows}
    this.tiles = new Map(); // block → [Tile]
    this.tops = [];
    this.expected = new Set(); // blocks of these results that are asked for after what is seen
    this.focused = 0;
    this.isSelected = () => false;
    this.frame = 0;
    scroller.addEventListener("scroll", () => this.#soon(), { passive: true });
    new ResizeObserver(() => this.#resized()).observe(element);
    new ResizeObserver(() => (this.height = scroller.clientHeight)).observe(scroller);
    const above = new ResizeObserver(() => this.#pushed());
    for (const other of scroller.children) if (other !== element) above.observe(other);
  }

  /** Shows other results from a place on; resolves when the first photos are there. */
  async show(results, place = 0) {
    const isFirst = this.results === null;
    this.wanted?.stop();
    this.wanted = results;
    for (const tile of this) tile.stop();
    const first = await results.block(0);
    if (place > 0 && place < results.total) await results.block(Math.floor(place / BLOCK));
    if (this.wanted !== results) throw new DOMException("asked for something else", "AbortError");
    this.clear();
    this.results = results;
    this.expected = new Set();
    this.focused = 0;
    this.width = this.element.clientWidth;
    this.#measure();
    if (!isFirst) this.scroller.scrollTop = 0;
    if (place > 0 && place < results.total) this.reveal(place, { block: "start" });
    this.update();
    return first;
  }

  clear() {
    clearTimeout(this.rest);
    for (const block of [...this.tiles.keys()]) this.#unmount(block);
    this.laid.clear();
    this.tops = [];
    this.element.style.height = "0px";
  }

  get blockCount() {
    return Math.ceil((this.results?.total ?? 0) / BLOCK);
  }

  #soon() {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.update();
    });
    clearTimeout(this.rest);
    this.rest = setTimeout(() => this.results?.total && this.onRest(this.#firstSeen()), REST_MS);
  }

  /** What stands above the photos became higher or lower: what is seen of them stays where it is. */
  #pushed() {
    const { offsetTop } = this.element;
    if (this.scroller.scrollTop > this.offsetTop) this.scroller.scrollTop += offsetTop - this.offsetTop;
    this.offsetTop = offsetTop;
  }

  #resized() {
    const width = this.element.clientWidth;
    if (!this.results || width === this.width || !width) return;
    const place = this.#firstSeen();
    this.width = width;
    this.laid.clear();
    for (const [block, photos] of this.results.blocks) this.#lay(block, photos);
    this.#measure();
    for (const [block, tiles] of this.tiles) {
      const laid = this.laid.get(block);
      if (!laid) this.#unmount(block);
      else tiles.forEach((tile, i) => tile.move(this.#shifted(block, laid.boxes[i])));
    }
    if (place > 0) this.reveal(place, { block: "start" });
    this.update();
  }

  #lay(block, photos) {
    const isLast = block === this.blockCount - 1;
    const laid = justify(photos.map(shownRatio), this.width, wantedHeight(this.width), GAP, isLast);
    this.laid.set(block, laid);
    return laid;
  }

  /** The height of a block whose photos are not known: that of the others, or a guess. */
  #usualHeight() {
    const known = [...this.laid]
      .filter(([block]) => block < this.blockCount - 1)
      .map(([, laid]) => laid.height);
    if (known.length) return Math.round(known.reduce((a, b) => a + b, 0) / known.length);
    const wanted = wantedHeight(this.width);
    return Math.ceil((BLOCK * 1.4 * wanted) / this.width) * (wanted + GAP);
  }

  /** Where each block begins. */
  #measure() {
    const usual = this.#usualHeight();
    let top = 0;
    this.tops = [];
    for (let block = 0; block < this.blockCount; block++) {
      this.tops.push(top);
      top += this.laid.get(block)?.height ?? usual;
    }
    this.tops.push(top);
    this.element.style.height = `${top}px`;
  }

  /**
   * The scroller's position in the list's own measure. Where the list begins is known from observers: to ask
   * for it in every frame would make the browser lay out what has just changed.
   */
  #scrolled() {
    return this.scroller.scrollTop - (this.offsetTop ?? this.element.offsetTop);
  }

  #blockAt(y) {
    let low = 0;
    let high = this.blockCount - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.tops[middle] <= y) low = middle;
      else high = middle - 1;
    }
    return Math.max(low, 0);
  }

  /** The place of the first photo that is seen. */
  #firstSeen() {
    const y = this.#scrolled() + MARGIN + GAP; // of a row above, less than that is not seen
    if (y <= MARGIN + GAP) return 0;
    const block = this.#blockAt(y);
    const inside =
      this.laid.get(block)?.boxes.findIndex((box) => this.tops[block] + box.y + box.height > y) ?? 0;
    return block * BLOCK + Math.max(inside, 0);
  }

  #shifted(block, box) {
    return { ...box, y: this.tops[block] + box.y };
  }

  /** Fills what is near the window and drops what is not. */
  update() {
    if (!this.results?.total) return;
    const height = (this.height ||= this.scroller.clientHeight);
    const top = this.#scrolled();
    this.near = [this.#blockAt(top - NEAR * height), this.#blockAt(top + (1 + NEAR) * height)];
    const seen = [this.#blockAt(top), this.#blockAt(top + height)];
    for (const block of [...this.tiles.keys()]) if (!isWithin(block, this.near)) this.#unmount(block);
    this.#fill(seen, true);
    this.#fill(this.near, false); // after what is seen: its maps and pictures come later, too
  }

  #fill([first, last], isSeen) {
    for (let block = first; block <= last; block++) {
      if (this.tiles.has(block)) continue;
      const photos = this.results.blocks.get(block);
      if (photos) this.#mount(block, photos);
      else this.#fetch(block, isSeen);
    }
  }

  async #fetch(block, isSeen) {
    const { results, expected } = this;
    if (results.pending.has(block) || (!isSeen && expected.has(block))) return;
    try {
      if (!isSeen) {
        expected.add(block);
        await this.photosFirst();
        expected.delete(block);
        if (results !== this.results || !isWithin(block, this.near)) return;
      }
      await results.block(block);
      if (results === this.results) this.update();
    } catch (error) {
      const isGivenUp = error.name === "AbortError"; // for photos that are on their way
      if (results === this.results && !isGivenUp) this.onError(error);
    }
  }

  #mount(block, photos) {
    if (!this.laid.has(block)) {
      this.#learn(block, photos);
    }
    const laid = this.laid.get(block);
    const tiles = photos.map((photo, i) => {
      const place = block * BLOCK + i;
      const tile = new Tile(photo, place, this.#shifted(block, laid.boxes[i]), {
        classes: this.classes,
        total: this.results.total,
      });
      tile.selected = this.isSelected(photo.id);
      tile.element.tabIndex = place === this.focused ? 0 : -1;
      return tile;
    });
    this.tiles.set(block, tiles);
    const after = [...this.tiles.keys()].filter((other) => other > block).sort((a, b) => a - b);
    const anchor = after.map((other) => this.tiles.get(other)[0]?.element).find(Boolean) ?? null;
    for (const tile of tiles) this.element.insertBefore(tile.element, anchor);
  }

  /** Lays out a block whose photos have come; what is seen of later ones stays where it is. */
  #learn(block, photos) {
    const before = this.tops;
    const scrolled = this.#scrolled();
    const seen = [...this.laid.keys()].filter((other) => other > block).sort((a, b) => a - b)[0];
    const isSeen = seen !== undefined && before[seen] < scrolled + this.height;
    const keeps = isSeen ? seen : this.#blockAt(Math.max(scrolled, 0));
    this.#lay(block, photos);
    this.#measure();
    this.#replace();
    const moved = this.tops[keeps] - before[keeps];
    if (moved) this.scroller.scrollTop += moved;
  }

  /** Moves mounted tiles to where their blocks begin now. */
  #replace() {
    for (const [block, tiles] of this.tiles) {
      const { boxes } = this.laid.get(block);
      tiles.forEach((tile, i) => tile.move(this.#shifted(block, boxes[i])));
    }
  }

  #unmount(block) {
    for (const tile of this.tiles.get(block)) tile.remove();
    this.tiles.delete(block);
  }

  /** The tile of a place, if it is there. */
  tileAt(place) {
    return this.tiles.get(Math.floor(place / BLOCK))?.[place % BLOCK] ?? null;
  }

  /** All tiles that are there. */
  *[Symbol.iterator]() {
    for (const tiles of this.tiles.values()) yield* tiles;
  }

  /**
   * Resolves when more may be asked for than what is seen: once that is here, and on a slow line once the
   * photos that are there show a picture, whose room it would take.
   */
  async photosFirst() {
    await Promise.allSettled(this.results.pending.values());
    if (!isLineSlow()) return;
    const pictured = Promise.all([...this].map((tile) => tile.begun));
    await Promise.race([pictured, wait(PICTURES_FIRST_MS)]);
  }

  /** Asks again for what could not be had, as while the server was away. */
  again() {
    for (const tile of this) tile.again();
    this.update();
  }

  /** Scrolls so that a photo is seen. */
  reveal(place, { block: where = "nearest" } = {}) {
    const block = Math.floor(place / BLOCK);
    const photos = this.results.blocks.get(block);
    if (photos && !this.laid.has(block)) this.#learn(block, photos);
    const box = this.laid.get(block)?.boxes[place % BLOCK] ?? { y: 0, height: wantedHeight(this.width) };
    const y = (this.tops[block] ?? 0) + box.y + this.element.offsetTop;
    const { scrollTop, clientHeight } = this.scroller;
    if (where === "start" || y < scrollTop + MARGIN) this.scroller.scrollTop = y - MARGIN;
    else if (y + box.height > scrollTop + clientHeight)
      this.scroller.scrollTop = y + box.height - clientHeight + MARGIN;
    this.update();
  }

  /** Makes a photo the one that the Tab key reaches, and focuses it. */
  async focus(place) {
    if (!this.results?.total) return;
    place = Math.min(Math.max(place, 0), this.results.total - 1);
    const old = this.tileAt(this.focused);
    if (old) old.element.tabIndex = -1;
    this.focused = place;
    try {
      await this.results.block(Math.floor(place / BLOCK));
    } catch (error) {
      if (error.name !== "AbortError") this.onError(error);
      return;
    }
    this.reveal(place);
    const tile = this.tileAt(place);
    if (!tile) return;
    tile.element.tabIndex = 0;
    tile.element.focus({ preventScroll: true });
  }

  /** The place in the row above (-1) or below (1) whose photo lies nearest to that of `place`. */
  beside(place, direction) {
    const block = Math.floor(place / BLOCK);
    const laid = this.laid.get(block);
    if (!laid) return place;
    const box = laid.boxes[place % BLOCK];
    const middle = box.x + box.width / 2;
    const row = laid.rows.findLastIndex((start) => start <= place % BLOCK) + direction;
    const isInside = row >= 0 && row < laid.rows.length;
    const other = isInside ? block : block + direction;
    const there = this.laid.get(other);
    if (!there?.rows.length) return Math.min(Math.max(place + direction * 4, 0), this.results.total - 1);
    const line = isInside ? row : direction > 0 ? 0 : there.rows.length - 1;
    const end = there.rows[line + 1] ?? there.boxes.length;
    let best = there.rows[line];
    const off = (i) => Math.abs(there.boxes[i].x + there.boxes[i].width / 2 - middle);
    for (let i = best; i < end; i++) if (off(i) < off(best)) best = i;
    return other * BLOCK + best;
  }
}

/** What is seen instead of photos: a heading, a sentence, and what can be done. */
export function emptyState(heading, sentence, ...actions) {
  return el(
    "div",
    { class: "empty" },
    el("h2", {}, heading),
    el("p", {}, sentence),
    actions.length ? el("div", { class: "row" }, ...actions) : null,
  );
}
