// Label maps of photos: decoded by workers from the first bytes of the photos' files, which come with each
// answer, and kept while they may be wanted again.

const MOST_KEPT = 400;
const MOST_WORKERS = 4;
const MOST_IN_WORKER = 2; // one is decoded, one waits: what is no longer seen need not be

const workers = []; // {worker, held: maps that it has}: those that may decode
const kept = new Map(); // key, the coded map → promise of a map or null
const wanted = new Map(); // key → {cares: how many wait for it, resolve}: to decode, first come first
const decoding = new Map(); // key → resolve

/**
 * Starts workers one after the other, as far as there are processors: what they load comes once, and what
 * each map starts from is learnt by the first, in a third of a second, and given to the others.
 */
function addWorker(number = 1, start = null) {
  const worker = new Worker(new URL("./labelmap/worker.js", import.meta.url), { type: "module" });
  const one = { worker, held: 0 };
  if (number === 1) workers.push(one);
  worker.addEventListener("message", ({ data: { key, map = null, isReady, start: learnt } }) => {
    if (isReady) {
      if (number > 1) workers.push(one);
      if (number < Math.min(navigator.hardwareConcurrency || 1, MOST_WORKERS))
        addWorker(number + 1, learnt ?? start);
    } else {
      one.held--;
      decoding.get(key)(map);
      decoding.delete(key);
    }
    decodeNext();
  });
  worker.postMessage({ start });
}

addWorker();

function decodeNext() {
  for (const [key, { resolve }] of wanted) {
    const idlest = workers.reduce((one, other) => (other.held < one.held ? other : one));
    if (idlest.held === MOST_IN_WORKER) return;
    wanted.delete(key);
    decoding.set(key, resolve);
    idlest.held++;
    const bytes = Uint8Array.from(atob(key), (letter) => letter.charCodeAt(0));
    idlest.worker.postMessage({ key, bytes }, [bytes.buffer]);
  }
}

/** One who waited for a map does so no longer; without any it is not decoded. */
function release(key) {
  const one = wanted.get(key);
  if (!one || --one.cares) return;
  wanted.delete(key);
  kept.delete(key);
  one.resolve(null);
}

/**
 * A promise of `{width, height, labels, photoWidth, photoHeight, mapScale, classes}`, or of null where the
 * photo has no label map, it is damaged, or `signal` gave it up.
 */
export function mapOf({ map: key }, signal) {
  if (!key) return Promise.resolve(null); // by its bytes: a photo may be labelled anew meanwhile
  let map = kept.get(key);
  if (map) kept.delete(key);
  else map = new Promise((resolve) => wanted.set(key, { cares: 0, resolve }));
  kept.set(key, map); // the last one used is the last one dropped
  if (kept.size > MOST_KEPT) kept.delete(kept.keys().next().value);
  if (wanted.has(key)) {
    wanted.get(key).cares++;
    signal.addEventListener("abort", () => release(key), { once: true });
    decodeNext();
  }
  return map;
}

const CODED = /"map":"([^"]+)"/g; // quotes in names are escaped

/**
 * Begins to decode the maps of an answer that is still coming, of whose JSON `text` is there and was looked
 * at up to `from`; returns where to go on.
 */
export function beginMaps(text, from, signal) {
  CODED.lastIndex = from;
  for (let found = CODED.exec(text); found; found = CODED.exec(text)) {
    mapOf({ map: found[1] }, signal);
    from = CODED.lastIndex;
  }
  return from;
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
