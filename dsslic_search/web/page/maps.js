// Label maps of photos: many in one request, decoded by workers while others are on their way, kept while
// they may be wanted again.

import { api } from "./api.js";
import { parts } from "./parts.js";

const MOST_AT_ONCE = 60;
const MOST_KEPT = 400;
const GATHER_MS = 12;
const MOST_WORKERS = 4;
const MOST_IN_WORKER = 2; // one is decoded, one waits: what is no longer seen need not be

const workers = []; // {worker, held: maps that it has}: those that may decode
const kept = new Map(); // id → promise of a map or null
const answers = new Map(); // id → resolve
const cares = new Map(); // id → how many wait for its map
let wanted = []; // ids to ask for
let timer = null;
let fetched = []; // {id, bytes} to decode
const coming = new Set(); // ids whose bytes are not here yet
const waiting = []; // what goes on when no bytes are on their way

/** Starts workers one after the other, as far as there are processors: what they load comes once. */
function addWorker(number = 1) {
  const worker = new Worker(new URL("./labelmap/worker.js", import.meta.url), { type: "module" });
  const one = { worker, held: 0 };
  if (number === 1) workers.push(one);
  worker.addEventListener("message", ({ data: { id, map = null, isReady } }) => {
    if (isReady) {
      if (number > 1) workers.push(one);
      if (number < Math.min(navigator.hardwareConcurrency || 1, MOST_WORKERS)) addWorker(number + 1);
    } else {
      one.held--;
      settle(id, map);
    }
    decodeNext();
  });
}

addWorker();

function decodeNext() {
  for (;;) {
    const idlest = workers.reduce((one, other) => (other.held < one.held ? other : one));
    if (!fetched.length || idlest.held === MOST_IN_WORKER) return;
    const { id, bytes } = fetched.shift();
    idlest.held++;
    idlest.worker.postMessage({ id, bytes }, [bytes]);
  }
}

function settle(id, map) {
  answers.get(id)?.(map);
  answers.delete(id);
  cares.delete(id);
  arrived(id);
}

function arrived(id) {
  coming.delete(id);
  if (!coming.size) for (const go of waiting.splice(0)) go();
}

/** Resolves when no map is on its way: on a slow line pictures would take its room. */
export function mapsAreThere() {
  return coming.size ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve();
}

async function fetchWanted() {
  timer = null;
  const ids = wanted.splice(0, MOST_AT_ONCE);
  if (wanted.length) timer = setTimeout(fetchWanted, GATHER_MS);
  if (!ids.length) return; // all were given up meanwhile
  try {
    for await (const { id, bytes } of parts(await api.maps(ids))) {
      ids.splice(ids.indexOf(id), 1);
      arrived(id);
      if (!bytes.byteLength) settle(id, null);
      else if (cares.get(id)) fetched.push({ id, bytes });
      else giveUp(id);
      decodeNext();
    }
    for (const id of ids) settle(id, null);
  } catch {
    for (const id of ids) giveUp(id);
  }
}

function giveUp(id) {
  kept.delete(id);
  settle(id, null);
}

/** One who waited for a map does so no longer; without any it is neither asked for nor decoded. */
function release(id) {
  if (!cares.has(id)) return;
  cares.set(id, cares.get(id) - 1);
  if (cares.get(id)) return;
  const isAskedFor = !wanted.includes(id);
  const isFetched = fetched.some((each) => each.id === id);
  if (isAskedFor && !isFetched) return;
  wanted = wanted.filter((each) => each !== id);
  fetched = fetched.filter((each) => each.id !== id);
  giveUp(id);
}

/**
 * A promise of `{width, height, labels, photoWidth, photoHeight, mapScale, classes}`, or of null where a
 * photo has no label map, it cannot be had now, or `signal` gave it up.
 */
export function mapOf(id, signal) {
  let map = kept.get(id);
  if (map) kept.delete(id);
  else {
    map = new Promise((resolve) => answers.set(id, resolve));
    wanted.push(id);
    coming.add(id);
    timer ??= setTimeout(fetchWanted, GATHER_MS);
  }
  if (answers.has(id)) {
    cares.set(id, (cares.get(id) ?? 0) + 1);
    signal.addEventListener("abort", () => release(id), { once: true });
  }
  kept.set(id, map); // the last one used is the last one dropped
  if (kept.size > MOST_KEPT) kept.delete(kept.keys().next().value);
  return map;
}

/** A map's labels in the colours of its classes, as ImageData of the map's size. */
export function coloured(map, classes) {
  const table = palette(map.classes ?? classes);
  const picture = new ImageData(map.width, map.height);
  const pixels = new Uint32Array(picture.data.buffer);
  for (let i = 0; i < pixels.length; i++) pixels[i] = table[map.labels[i]];
  return picture;
}

const palettes = new WeakMap();

/** Colours by class id as the 32-bit numbers that ImageData holds; what has no class is white. */
export function palette(classes) {
  if (!palettes.has(classes)) palettes.set(classes, madePalette(classes));
  return palettes.get(classes);
}

function madePalette(classes) {
  const table = new Uint32Array(256).fill(0xffffffff);
  const bytes = new DataView(table.buffer);
  classes.forEach(({ id, colour }, place) => {
    const at = 4 * (id ?? place);
    bytes.setUint32(at, ((parseInt(colour.slice(1), 16) << 8) | 255) >>> 0);
  });
  return table;
}
