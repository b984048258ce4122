// What is expected at a boundary: twelve contexts, and the mixing of what they say (docs/label-map.md,
// "Choices").

export const CONTEXTS = 12;
const SLOTS = 32768; // a context
const INPUTS = 2 * CONTEXTS + 1;
const SETS = 64;
const MAX_REACH = 40;
const NOWHERE = -1000;
const POINTS = [22, 36, 60, 98, 162, 267, 439, 720, 1179, 1921, 3108, 4971, 7812, 11955, 17625, 24743, 32768];

function makeSquash() {
  const points = [
    ...POINTS,
    ...POINTS.slice(0, -1)
      .reverse()
      .map((p) => 65536 - p),
  ];
  return Int32Array.from({ length: 4096 }, (_, i) => {
    const j = i >> 7;
    const f = i & 127;
    return Math.min(Math.max((points[j] * (128 - f) + points[j + 1] * f + 64) >> 7, 24), 65511);
  });
}

function makeStretch(squash) {
  let x = 0;
  return Int32Array.from({ length: 4096 }, (_, i) => {
    while (x < 4095 && squash[x] < 16 * i + 8) x++;
    return x - 2048;
  });
}

const SQUASH = makeSquash();
const STRETCH = makeStretch(SQUASH);
const RATES = Int32Array.from({ length: 256 }, (_, n) => Math.floor(655360 / (10 * Math.min(n, 100) + 16)));

/** By the answers of a context, zeros << 4 | ones: what they are after one more. */
function answersAfter(bit) {
  return Uint8Array.from({ length: 256 }, (_, answers) => {
    const [more, fewer] = bit ? [answers & 15, answers >> 4] : [answers >> 4, answers & 15];
    const same = Math.min(more + 1, 15);
    const other = fewer > 2 ? (fewer + 2) >> 1 : fewer;
    return bit ? (other << 4) | same : (same << 4) | other;
  });
}

const AFTER_ONE = answersAfter(1);
const AFTER_ZERO = answersAfter(0);

/** 0..4 as they are, then 5–6, 7–8, 9–12, 13–16, 17–24, 25–40, more. */
export function bucket(d) {
  if (d < 5) return d;
  if (d < 9) return d < 7 ? 5 : 6;
  if (d < 17) return d < 13 ? 7 : 8;
  if (d < 41) return d < 25 ? 9 : 10;
  return 11;
}

function shiftBucket(shift) {
  if (shift === NOWHERE) return 31;
  return shift < 0 ? 12 - bucket(-shift) : 12 + bucket(shift);
}

/** The column in 1..width−1 nearest to `near` where `left` is followed by `right`, the smaller of two. */
function findBoundary(plane, row, width, near, reach, left, right) {
  for (let d = 0; d < reach; d++) {
    let at = near - d;
    if (at > 0 && plane[row + at - 1] === left && plane[row + at] === right) return at;
    at = near + d;
    if (at < width && plane[row + at - 1] === left && plane[row + at] === right) return at;
  }
  return NOWHERE;
}

/** The boundary at one column of the row above, followed upwards. */
export class Boundary {
  constructor() {
    this.shifts = [NOWHERE, NOWHERE, NOWHERE];
    this.clear();
  }

  clear() {
    this.at = 0;
    this.run = this.secondRun = this.step = 0;
    this.shifts.fill(NOWHERE);
  }

  /** Column 0 stands for none. `row` is where row y begins in the plane. */
  trace(plane, row, y, stride, width, at) {
    this.clear();
    this.at = at;
    if (at === 0) return;
    const left = plane[row - stride + at - 1];
    const right = plane[row - stride + at];
    let here = at;
    for (let i = 0; i < 3 && here !== NOWHERE; i++) {
      const there = findBoundary(plane, row - (i + 2) * stride, width, here, MAX_REACH, left, right);
      if (there !== NOWHERE) this.shifts[i] = here - there;
      here = there;
    }
    let above = y - 2;
    let line = row - 2 * stride;
    const continues = (column) =>
      above >= 0 && plane[line + column - 1] === left && plane[line + column] === right;
    while (this.run < MAX_REACH && continues(at)) {
      this.run++;
      above--;
      line -= stride;
    }
    if (above < 0) return;
    here = findBoundary(plane, line, width, at, 3, left, right);
    if (here === NOWHERE) this.step = 3;
    else this.step = here < at ? 1 : 2;
    while (this.step < 3 && this.secondRun < MAX_REACH && continues(here)) {
      this.secondRun++;
      above--;
      line -= stride;
    }
  }
}

/** Where the 21 neighbours of a pixel lie in a plane of that stride, lowest bits of the pattern first. */
function neighbours(stride) {
  const at = (down, right) => down * stride + right;
  return Int32Array.of(
    at(-1, 0),
    at(-1, -1),
    at(-1, 1),
    at(0, -2),
    at(-2, 0),
    at(-2, 1),
    at(-1, 2),
    at(-2, -1),
    at(-1, -2),
    at(0, -3),
    at(-3, 0),
    at(-2, 2),
    at(-1, 3),
    at(-3, 1),
    at(-3, -1),
    at(-2, -2),
    at(-1, -3),
    at(-2, 3),
    at(-1, 4),
    at(-4, 0),
    at(0, -4),
  );
}

export class Model {
  constructor() {
    this.cells = new Int32Array(CONTEXTS * SLOTS).fill(32768 << 16); // probability, count, answers
    this.history = new Int32Array(CONTEXTS * 256);
    for (let i = 0; i < this.history.length; i++) {
      const zeros = (i & 255) >> 4;
      const ones = i & 15;
      this.history[i] = Math.floor((65536 * (5 * ones + 2)) / (5 * zeros + 5 * ones + 4));
    }
    this.mixerA = new Float64Array(SETS * INPUTS).fill(5000);
    this.mixerB = new Float64Array(SETS * INPUTS).fill(5000);
    this.lower = new Int32Array(CONTEXTS); // the lower 31 bits of each context
    this.contexts = new Int32Array(CONTEXTS); // hashed
    this.slots = new Int32Array(CONTEXTS);
    this.places = new Int32Array(CONTEXTS);
    this.inputs = new Int32Array(INPUTS);
    this.inputs[2 * CONTEXTS] = 256;
    this.neighbours = neighbours(0);
    this.stride = 0;
  }

  /** Takes over the state of another: megabytes, which would be garbage soon if each map had its own. */
  become(other) {
    for (const name of ["cells", "history", "mixerA", "mixerB"]) this[name].set(other[name]);
    return this;
  }

  /** Lets no place of a table have learnt from more than `most` answers. */
  limitCounts(most) {
    const { cells } = this;
    for (let i = 0; i < cells.length; i++) {
      if (((cells[i] >> 8) & 255) > most) cells[i] = (cells[i] & ~0xff00) | (most << 8);
    }
  }

  setStride(stride) {
    this.stride = stride;
    this.neighbours = neighbours(stride);
  }

  /**
   * The situation that a pixel is in: `at` its place in the plane, `distances` four buckets of five bits,
   * `beyond` the label after the next change in the row above.
   */
  setContexts(plane, at, x, candidates, count, boundary, distances, beyond) {
    const first = candidates[0];
    const second = count > 1 ? candidates[1] : -1;
    const third = count > 2 ? candidates[2] : -1;
    let low = 0; // of the pattern, 32 bits
    let high = 0; // 10 bits
    for (let i = 0; i < 21; i++) {
      const label = plane[at + this.neighbours[i]];
      const which = label === first ? 0 : label === second ? 1 : label === third ? 2 : 3;
      if (i < 16) low |= which << (2 * i);
      else high |= which << (2 * i - 32);
    }
    const passed = boundary.at > 0 ? x - boundary.at : 20;
    const where = passed <= 12 ? Math.max(passed, -8) + 8 : 20 + Math.min(bucket(passed) - 7, 5);
    const { shifts } = boundary;
    const shift = shiftBucket(shifts[0]);
    const differ = low & 3 ? 1 : 0;
    const named = second + 1;
    const h = this.lower;
    h[0] = low & 0xfff;
    h[1] = low & 0xfffffff;
    h[2] = low & 0x7fffffff;
    h[3] = (low >>> 2) & 0x3fffff3;
    h[4] = (first << 16) | (named << 7) | (low & 63);
    h[5] =
      where |
      (shift << 6) |
      (shiftBucket(shifts[1]) << 11) |
      (shiftBucket(shifts[2]) << 16) |
      (Math.min((distances >> 5) & 31, 3) << 22);
    h[6] =
      where |
      (Math.min(boundary.run, 20) << 6) |
      (Math.min(boundary.secondRun, 20) << 12) |
      (boundary.step << 18);
    h[7] = distances | (differ << 20);
    h[8] = where | (shift << 6) | (first << 12) | (named << 20);
    h[9] = where | (boundary.run << 6) | (boundary.step << 12) | ((low & 255) << 14);
    h[10] = (distances & 31) | (where << 5) | (shift << 11) | ((low & 0x3ff) << 16);
    h[11] = first | (beyond << 8) | (where << 16);
    for (let i = 0; i < CONTEXTS; i++) this.contexts[i] = Math.imul(h[i], 0x2f0b4c47);
    this.contexts[2] += Math.imul((low >>> 31) | (high << 1), 0x1b873593); // beyond the lower 31 bits
  }

  /** "Is it candidate k?", answered by `coder` at the probability that the contexts say, and learnt. */
  choice(coder, known, k, setA, setB) {
    const { cells, contexts, history, inputs, mixerA, mixerB, places, slots } = this;
    const startA = setA * INPUTS;
    const startB = setB * INPUTS;
    const candidate = Math.imul(k, 0x3c6ef372);
    let a = 256 * mixerA[startA + 2 * CONTEXTS];
    let b = 256 * mixerB[startB + 2 * CONTEXTS];
    for (let i = 0; i < CONTEXTS; i++) {
      const hash = (contexts[i] + candidate) & 0x7fffffff;
      const slot = i * SLOTS + ((Math.imul(hash ^ (hash >> 15), 0x2c1b3c6d) >>> 12) & (SLOTS - 1));
      const cell = cells[slot];
      const place = (i << 8) + (cell & 255);
      const one = STRETCH[cell >>> 20];
      const other = STRETCH[history[place] >> 4];
      slots[i] = slot;
      places[i] = place;
      inputs[2 * i] = one;
      inputs[2 * i + 1] = other;
      a += one * mixerA[startA + 2 * i] + other * mixerA[startA + 2 * i + 1];
      b += one * mixerB[startB + 2 * i] + other * mixerB[startB + 2 * i + 1];
    }
    a = Math.min(Math.max(Math.floor(a / 65536), -2047), 2047);
    b = Math.min(Math.max(Math.floor(b / 65536), -2047), 2047);
    const bit = coder.bit(known, SQUASH[((a + b) >> 1) + 2048]);
    const target = bit ? 65535 : 0;
    const errorA = ((target - SQUASH[a + 2048]) * 10) >> 10;
    const errorB = ((target - SQUASH[b + 2048]) * 10) >> 10;
    for (let i = 0; i < INPUTS; i++) {
      mixerA[startA + i] += (inputs[i] * errorA + 512) >> 10;
      mixerB[startB + i] += (inputs[i] * errorB + 512) >> 10;
    }
    const after = bit ? AFTER_ONE : AFTER_ZERO;
    for (let i = 0; i < CONTEXTS; i++) {
      const place = places[i];
      history[place] += ((target - history[place]) * 700) >> 16;
      const cell = cells[slots[i]];
      const one = cell >>> 16;
      const count = (cell >> 8) & 255;
      const far = target - one;
      const rate = RATES[count];
      // far * rate / 65536, rounded down, in halves that 32 bits hold
      const step = (Math.imul(far >> 8, rate) + (Math.imul(far & 255, rate) >> 8)) >> 8;
      cells[slots[i]] = ((one + step) << 16) | (Math.min(count + 1, 255) << 8) | after[cell & 255];
    }
    return bit;
  }
}
