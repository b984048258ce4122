// The photos that are asked for, in blocks: any block can be had without those before it.

import { api } from "./api.js";
import { beginMaps } from "./maps.js";

export const BLOCK = window.innerWidth > 1600 ? 60 : 30;
const MOST_BLOCKS = 120; // kept; those longest unused are asked for again

export class Results {
  /** `onOther()`: called when an answer tells that there are more photos, or fewer, than before. */
  constructor(asked, onOther = () => {}) {
    this.asked = asked;
    this.onOther = onOther;
    this.total = null;
    this.reading = "";
    this.warnings = [];
    this.blocks = new Map(); // number → photos
    this.pending = new Map();
    this.giveUp = new AbortController();
  }

  /** A promise of a block's photos; ApiError when they cannot be had. */
  block(number) {
    const known = this.blocks.get(number);
    if (known) {
      this.blocks.delete(number);
      this.blocks.set(number, known);
      return Promise.resolve(known);
    }
    if (!this.pending.has(number)) {
      const pending = this.#fetch(number).finally(() => this.pending.delete(number));
      this.pending.set(number, pending);
    }
    return this.pending.get(number);
  }

  async #fetch(number) {
    const asked = { ...this.asked, maps: true, start: number * BLOCK || "", limit: BLOCK };
    const { signal } = this.giveUp;
    let begun = 0;
    const begin = (text) => (begun = beginMaps(text, begun, signal));
    const answer = await api.query(asked, signal, number ? undefined : begin); // others may be scrolled past
    if (number === 0 || this.total === null) {
      this.total = answer.total;
      this.reading = answer.reading;
      this.warnings = answer.warnings ?? [];
    } else if (answer.total !== this.total) this.onOther();
    this.blocks.set(number, answer.objects);
    if (this.blocks.size > MOST_BLOCKS) this.blocks.delete(this.blocks.keys().next().value);
    return answer.objects;
  }

  /** The photo at a place, if its block is known. */
  at(place) {
    return this.blocks.get(Math.floor(place / BLOCK))?.[place % BLOCK] ?? null;
  }

  /** The photo at a place, asked for when it is not known; null beyond the last. */
  async photoAt(place) {
    if (place < 0 || place >= (this.total ?? 0)) return null;
    return (await this.block(Math.floor(place / BLOCK)))[place % BLOCK] ?? null;
  }

  /** The place of a photo among those known; -1 if it is not. */
  placeOf(id) {
    for (const [number, photos] of this.blocks) {
      const inside = photos.findIndex((photo) => photo.id === id);
      if (inside >= 0) return number * BLOCK + inside;
    }
    return -1;
  }

  /** Photos from one place to another, both included, as far as they are known. */
  between(one, other) {
    const found = [];
    for (let place = Math.min(one, other); place <= Math.max(one, other); place++) {
      const photo = this.at(place);
      if (photo) found.push(photo);
    }
    return found;
  }

  /** Changes what is known of photos here, as after a tag was given. */
  update(ids, change) {
    for (const photos of this.blocks.values()) {
      for (const photo of photos) if (ids.includes(photo.id)) change(photo);
    }
  }

  stop() {
    this.giveUp.abort();
  }
}
