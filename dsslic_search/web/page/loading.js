// Pictures, few at a time: earlier stages before later ones, so that every photo shows something before any
// is sharp.

import { api } from "./api.js";

const MOST_AT_ONCE = 5;

/** Which pictures come first; those of the photo that is open before all others. */
export const RANKS = { open: 0, compact: 1, coarse: 2, full: 3 };

const waiting = Object.values(RANKS).map(() => []);
let running = 0;

function next() {
  while (running < MOST_AT_ONCE || waiting[RANKS.open].length) {
    const job = waiting.find((queue) => queue.length)?.shift();
    if (!job) return;
    if (job.signal?.aborted) continue;
    running++;
    run(job).finally(() => {
      running--;
      next();
    });
  }
}

async function run({ url, signal, resolve, reject }) {
  try {
    resolve(await api.picture(url, signal));
  } catch (error) {
    reject(error);
  }
}

/**
 * A promise of a picture's blob; `rank` says which ones come first. Rejected with AbortError when given up.
 */
export function load(url, rank, signal) {
  return new Promise((resolve, reject) => {
    signal?.addEventListener("abort", () => reject(new DOMException("given up", "AbortError")), {
      once: true,
    });
    waiting[rank].push({ url, signal, resolve, reject });
    next();
  });
}

/** Shows a blob in an image element; resolves when it can be painted. */
export async function show(image, blob) {
  const url = URL.createObjectURL(blob);
  try {
    image.src = url;
    await image.decode();
  } finally {
    URL.revokeObjectURL(url);
  }
}
