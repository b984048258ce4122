// Bits, adaptive flags and labels by name: the machine under the label map (docs/label-map.md, "Bits").
// All values are integers; a product that needs more than 32 bits is a double, which holds it exactly.

const MAX_FLAG_COUNT = 60;
const SEEN_WEIGHT = 12000;
const SEEN_AGAIN_WEIGHT = 4000;

export const FLAG_SEGMENT = 0;
export const FLAG_DISTANCE = 64;
export const FLAG_PARTNER = 128;
const FLAG_COUNT = 129;

/** The weights of the 256 labels from 256 on, and before them the sums of each pair. */
export function freshTree() {
  const tree = new Int32Array(512);
  for (let label = 0; label < 256; label++) {
    if (label < 64) tree[256 + label] = Math.floor(3840 / (label + 16)) + 4;
    else tree[256 + label] = label === 255 ? 16 : 1;
  }
  for (let node = 255; node > 0; node--) tree[node] = tree[2 * node] + tree[2 * node + 1];
  return tree;
}

/**
 * Decodes bits from bytes; without bytes it is taught instead: each bit is the one that it is told, and only
 * what is learnt changes. So one walk both makes the state that maps start from and decodes them.
 */
export class Coder {
  constructor(bytes = null) {
    this.bytes = bytes;
    this.range = new Uint32Array([0, 0xffffffff, 0]); // low, high, value
    this.next = 0;
    this.flagOne = new Int32Array(FLAG_COUNT).fill(32768);
    this.flagCount = new Int32Array(FLAG_COUNT);
    this.flagOne.fill(2000, FLAG_SEGMENT, FLAG_DISTANCE);
    this.flagCount.fill(2, FLAG_SEGMENT, FLAG_DISTANCE);
    this.tree = freshTree();
    this.partners = new Int32Array(256);
    this.aside = new Int32Array(5);
    if (!bytes) return;
    for (; this.next < 4; this.next++) this.range[2] = (this.range[2] << 8) | (bytes[this.next] ?? 0);
  }

  /** More bytes were taken than the stream can have. */
  get isPastEnd() {
    return this.bytes !== null && this.next > this.bytes.length + 4;
  }

  /** One bit, `one` / 65536 being the probability of 1; `known` is what it is when there are no bytes. */
  bit(known, one) {
    if (this.bytes === null) return known;
    const { range } = this;
    let low = range[0];
    let high = range[1];
    const middle = low + Math.floor(((high - low) * one) / 65536);
    const bit = range[2] <= middle ? 1 : 0;
    if (bit) high = middle;
    else low = middle + 1;
    while (((low ^ high) & 0xff000000) === 0) {
      const byte = this.next < this.bytes.length ? this.bytes[this.next] : 0;
      this.next++;
      range[2] = (range[2] << 8) | byte;
      low = (low << 8) >>> 0;
      high = ((high << 8) | 255) >>> 0;
    }
    range[0] = low;
    range[1] = high;
    return bit;
  }

  /** A bit with an adaptive probability of its own. */
  flag(known, flag) {
    const one = this.flagOne[flag];
    const count = this.flagCount[flag];
    const bit = this.bit(known, Math.min(Math.max(one, 40), 65496));
    this.flagOne[flag] = one + ((((bit ? 65535 : 0) - one) * Math.floor(65536 / (count + 2))) >> 16);
    this.flagCount[flag] = Math.min(count + 1, MAX_FLAG_COUNT);
    return bit;
  }

  weigh(label, change) {
    for (let node = label + 256; node > 0; node >>= 1) this.tree[node] += change;
  }

  /** A label by its weight among all. */
  inTree(known) {
    const tree = this.tree;
    let node = 1;
    for (let place = 7; place >= 0; place--) {
      const total = tree[node];
      const left = tree[2 * node];
      let bit = (known >> place) & 1;
      if (left === 0) bit = 1;
      else if (left === total) bit = 0;
      else bit = this.bit(bit, Math.min(Math.max(Math.floor(((total - left) * 65536) / total), 1), 65535));
      node = 2 * node + bit;
    }
    return node - 256;
  }

  /** The first label of a map. */
  first(known) {
    const label = this.inTree(known);
    this.weigh(label, SEEN_WEIGHT);
    return label;
  }

  /** A label that is none of the first `count` candidates; -1 if no label is left. */
  named(known, candidates, count) {
    const tree = this.tree;
    const west = candidates[0];
    for (let k = 0; k < count; k++) {
      this.aside[k] = tree[256 + candidates[k]];
      this.weigh(candidates[k], -this.aside[k]);
    }
    if (tree[1] <= 0) return -1;
    const partner = this.partners[west] - 1;
    const weight = partner >= 0 ? tree[256 + partner] : 0;
    let label;
    if (weight > 0 && weight < tree[1]) {
      if (this.flag(known === partner ? 1 : 0, FLAG_PARTNER)) label = partner;
      else {
        this.weigh(partner, -weight);
        label = this.inTree(known);
        this.weigh(partner, weight);
      }
    } else label = this.inTree(known);
    for (let k = 0; k < count; k++) this.weigh(candidates[k], this.aside[k]);
    this.weigh(label, tree[256 + label] >= SEEN_WEIGHT ? SEEN_AGAIN_WEIGHT : SEEN_WEIGHT);
    this.partners[west] = label + 1;
    return label;
  }
}
