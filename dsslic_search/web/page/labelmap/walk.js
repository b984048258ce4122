// The walk over a map: quiet stretches at once, everything else pixel by pixel (docs/label-map.md, "Walk").

import { FLAG_DISTANCE, FLAG_SEGMENT } from "./coder.js";
import { Boundary, bucket } from "./model.js";

export const TOP = 4; // rows above the map in its plane; as many columns left and right
const LEFT = 4;
const RIGHT = 4;
const MAX_CANDIDATES = 5;
const QUIET_ABOVE = 10;
const QUIET_ABOVE_TWO = 4;
const NO_CHANGE_AHEAD = 64;
const NO_CHANGE_BEHIND = -8;

/**
 * A plane for a map: its labels with margins. `labels`, if given, are what is walked over when being taught.
 */
export class Plane {
  constructor(height, width, labels = null) {
    this.height = height;
    this.width = width;
    this.stride = LEFT + width + RIGHT;
    this.cells = new Uint8Array((height + TOP) * this.stride);
    if (labels) {
      for (let y = 0; y < height; y++)
        this.cells.set(labels.subarray(y * width, (y + 1) * width), this.rowAt(y));
    }
  }

  rowAt(y) {
    return (y + TOP) * this.stride + LEFT;
  }

  /** The labels without margins, row by row. */
  labels() {
    const { width, height } = this;
    const labels = new Uint8Array(height * width);
    for (let y = 0; y < height; y++) {
      labels.set(this.cells.subarray(this.rowAt(y), this.rowAt(y) + width), y * width);
    }
    return labels;
  }
}

function nextChange(cells, row, x, width) {
  do x++;
  while (x < width && cells[row + x] === cells[row + x - 1]);
  return x < width ? x : width + NO_CHANGE_AHEAD;
}

/** The quiet stretch from x to end: where in it something new begins, or its end. */
function quiet(coder, cells, row, x, end, width) {
  const west = cells[row + x - 1];
  const length = end - x;
  const edge = end === width ? 1 : 0;
  let at = end;
  if (coder.bytes === null) {
    at = x;
    while (at < end && cells[row + at] === west) at++;
  }
  const size = 31 - Math.clz32(length);
  if (coder.flag(at < end ? 1 : 0, FLAG_SEGMENT + 2 * size + edge)) {
    const known = end - at;
    let digits = 0;
    while (
      2 ** (digits + 1) <= length &&
      coder.flag(known >> digits > 1 ? 1 : 0, FLAG_DISTANCE + 32 * edge + digits)
    )
      digits++;
    let distance = 1;
    for (let digit = digits - 1; digit >= 0; digit--)
      distance = 2 * distance + coder.bit((known >> digit) & 1, 32768);
    at = end - Math.min(distance, length);
  } else at = end;
  if (coder.bytes !== null) cells.fill(west, row + x, row + at);
  return at;
}

class Walk {
  constructor(plane, coder, model) {
    this.plane = plane;
    this.coder = coder;
    this.model = model;
    this.boundary = new Boundary();
    this.candidates = new Int32Array(MAX_CANDIDATES);
    model.setStride(plane.stride);
  }

  /** Appends a label to the `count` candidates unless it is one; how many there are then. */
  #with(count, label) {
    const { candidates } = this;
    for (let k = 0; k < count; k++) if (candidates[k] === label) return count;
    if (count === MAX_CANDIDATES) return count;
    candidates[count] = label;
    return count + 1;
  }

  #gather(at, ahead) {
    const { cells, stride } = this.plane;
    const up = at - stride;
    this.candidates[0] = cells[at - 1];
    let count = this.#with(1, cells[up]);
    count = this.#with(count, cells[up + 1]);
    count = this.#with(count, cells[up - 1]);
    count = this.#with(count, cells[up - stride]);
    count = this.#with(count, cells[ahead]);
    return this.#with(count, cells[at - 2]);
  }

  /** A pixel that is not quiet: one of its candidates, or a label by name. */
  #pixel(known, count, setA, setB) {
    const { candidates, coder, model } = this;
    for (let k = 0; k < count; k++) {
      const group = Math.min(k, 3) * 16;
      if (model.choice(coder, candidates[k] === known ? 1 : 0, k, group + setA, group + setB))
        return candidates[k];
    }
    return coder.named(known, candidates, count);
  }

  row(y) {
    const { boundary, candidates, coder, model } = this;
    const { cells, stride, width } = this.plane;
    const row = this.plane.rowAt(y);
    const above = row - stride;
    const aboveTwo = above - stride;
    let last = NO_CHANGE_BEHIND;
    let lastAbove = last;
    let lastTwo = last;
    let nextAbove = 0;
    let nextTwo = 0;
    boundary.clear();
    for (let x = 0; x < width; x++) {
      while (nextAbove <= x) {
        lastAbove = nextAbove;
        nextAbove = nextChange(cells, above, nextAbove, width);
      }
      while (nextTwo <= x) {
        lastTwo = nextTwo;
        nextTwo = nextChange(cells, aboveTwo, nextTwo, width);
      }
      const sinceAbove = lastAbove > 0 ? lastAbove : NO_CHANGE_BEHIND;
      const sinceTwo = lastTwo > 0 ? lastTwo : NO_CHANGE_BEHIND;
      let at = row + x;
      const west = cells[at - 1];
      const north = cells[at - stride];
      let label;
      if (
        x - last >= 2 &&
        sinceAbove <= x - 2 &&
        sinceTwo <= x - 1 &&
        nextAbove > x + QUIET_ABOVE &&
        nextTwo > x + QUIET_ABOVE_TWO &&
        north === west &&
        cells[at - 2 * stride] === west
      ) {
        const end = Math.min(nextAbove - QUIET_ABOVE, nextTwo - QUIET_ABOVE_TWO, width);
        x = quiet(coder, cells, row, x, end, width);
        if (x === end) {
          x--;
          continue;
        }
        at = row + x;
        candidates[0] = west;
        label = coder.named(cells[at], candidates, 1);
      } else {
        const ahead = nextAbove < width ? above + nextAbove : above + x + 1;
        const count = this.#gather(at, ahead);
        let column = west !== north ? lastAbove : nextAbove;
        if (!(column > 0 && column < width)) column = 0;
        if (column !== boundary.at || column === 0) boundary.trace(cells, row, y, stride, width, column);
        const distances =
          bucket(x - last) |
          (bucket(nextAbove - x) << 5) |
          (bucket(x - sinceAbove) << 10) |
          (bucket(nextTwo - x) << 15);
        model.setContexts(cells, at, x, candidates, count, boundary, distances, cells[ahead]);
        const setA =
          (west !== north ? 1 : 0) |
          (cells[above + x - 1] !== north ? 2 : 0) |
          (cells[above + x + 1] !== north ? 4 : 0) |
          (cells[aboveTwo + x] !== north ? 8 : 0);
        const passed = column > 0 ? x - column : 20;
        const setB = Math.min(boundary.run, 3) | (Math.min(Math.max(passed + 2, 0), 3) << 2);
        label = this.#pixel(cells[at], count, setA, setB);
      }
      if (label < 0) throw new RangeError("the label map's data is damaged");
      if (coder.isPastEnd) throw new RangeError("the label map's data ends too early");
      cells[at] = label;
      if (label !== west) last = x;
    }
  }
}

/** Decode a plane with a coder that has bytes, or teach the model the plane that is there. */
export function walk(plane, coder, model) {
  const { cells, stride, height, width } = plane;
  const first = coder.first(cells[plane.rowAt(0)]);
  cells.fill(first, 0, TOP * stride);
  const walker = new Walk(plane, coder, model);
  for (let y = 0; y < height; y++) {
    const row = plane.rowAt(y);
    cells.fill(cells[row - stride], row - LEFT, row);
    walker.row(y);
    if (coder.isPastEnd) throw new RangeError("the label map's data ends too early");
    cells.fill(cells[row], row - LEFT, row);
    cells.fill(cells[row + width - 1], row + width, row + width + RIGHT);
  }
}
