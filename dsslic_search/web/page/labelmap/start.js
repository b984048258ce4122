// The state that every label map starts from: a model that has learnt from five artificial maps
// (docs/label-map.md, "Start"). It is made once, the first time that a map is decoded, or taken from who made
// it.

import { Coder, freshTree } from "./coder.js";
import { Model } from "./model.js";
import { Plane, walk } from "./walk.js";

const SIDE = 160;
const LABELS = 8;
const MAX_LEARNT_COUNT = 12;
const SMOOTH = [
  [64, 96, 6],
  [16, 16, 2],
]; // cells of height × width labels, and their strength
const FINE = [
  [32, 48, 6],
  [12, 12, 2],
];
const RAGGED = [
  [64, 96, 6],
  [24, 24, 2],
  [8, 8, 1],
];
const PRACTICE = [SMOOTH, FINE, SMOOTH, FINE, RAGGED];

function noise(seed, count) {
  return Int32Array.from({ length: count }, (_, j) => {
    let r = (Math.imul(seed, 65536) + j) | 0;
    r = Math.imul(r, 0x9e3779b1);
    r ^= r >>> 15;
    r = Math.imul(r, 0x85ebca6b);
    r ^= r >>> 13;
    r = Math.imul(r, 0xc2b2ae35);
    r ^= r >>> 16;
    return r & 1023;
  });
}

/** Adds one layer of noise, straight lines between the points of its grid, to `sum`. */
function addLayer(sum, seed, [h, w, strength]) {
  const columns = Math.floor(SIDE / w) + 2;
  const grid = noise(seed, (Math.floor(SIDE / h) + 2) * columns);
  const down = new Float64Array(columns); // the grid's columns in row y
  const across = new Float64Array(columns); // how much more the next column has
  for (let y = 0; y < SIDE; y++) {
    const restY = y % h;
    const above = Math.floor(y / h) * columns;
    for (let column = 0; column < columns; column++)
      down[column] = grid[above + column] * (h - restY) + grid[above + columns + column] * restY;
    for (let column = 0; column < columns - 1; column++) across[column] = down[column + 1] - down[column];
    for (let x = 0, column = 0; x < SIDE; column++) {
      const end = Math.min(x + w, SIDE);
      for (let value = down[column] * w; x < end; x++, value += across[column])
        sum[y * SIDE + x] += Math.floor((value * 1024 * strength) / (h * w));
    }
  }
}

/** Artificial map `number`: at each place the label whose noise is largest, the lowest of equals. */
function practiceMap(number) {
  const labels = new Uint8Array(SIDE * SIDE);
  const largest = new Float64Array(SIDE * SIDE).fill(-1);
  for (let label = 0; label < LABELS; label++) {
    const sum = new Float64Array(SIDE * SIDE);
    PRACTICE[number].forEach((layer, i) => addLayer(sum, 256 * number + 8 * label + i, layer));
    for (let i = 0; i < sum.length; i++) {
      if (sum[i] > largest[i]) {
        largest[i] = sum[i];
        labels[i] = label;
      }
    }
  }
  return labels;
}

let start = null;
let used = null; // the model of the map that is decoded: one after the other

function learn() {
  const model = new Model();
  const coder = new Coder();
  for (let number = 0; number < PRACTICE.length; number++) {
    coder.tree = freshTree();
    coder.partners.fill(0);
    walk(new Plane(SIDE, SIDE, practiceMap(number)), coder, model);
  }
  model.limitCounts(MAX_LEARNT_COUNT);
  const flagCount = coder.flagCount.map((n) => Math.min(n, MAX_LEARNT_COUNT));
  const { cells, history, mixerA, mixerB } = model;
  return { model: { cells, history, mixerA, mixerB }, flagOne: coder.flagOne, flagCount };
}

/** The state itself, plain arrays, to be handed to another worker; learnt if it is not there yet. */
export function startState() {
  start ??= learn();
  return start;
}

/** Takes the state that another worker has learnt. */
export function startFrom(state) {
  start = state;
}

/** A coder of these bytes and a model, as each map starts from them; the model is that of the map before. */
export function prepared(bytes) {
  const { model, flagOne, flagCount } = startState();
  const coder = new Coder(bytes);
  coder.flagOne.set(flagOne);
  coder.flagCount.set(flagCount);
  used ??= new Model();
  return { coder, model: used.become(model) };
}
