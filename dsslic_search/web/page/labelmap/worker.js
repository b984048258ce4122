// Decodes label maps beside the page, so that scrolling never waits for one.

import { decodeLabelMap } from "./decode.js";
import { chunkBytes, readHeader } from "./file.js";
import { startFrom, startState } from "./start.js";

/**
 * The class list of a file that speaks in another vocabulary than the archive's: colours and names, or null.
 */
async function ownClasses(bytes, header) {
  const data = chunkBytes(bytes, header, "voca");
  if (!data) return null;
  const unpacked = new Blob([data]).stream().pipeThrough(new DecompressionStream("deflate"));
  const { classes } = JSON.parse(await new Response(unpacked).text());
  return classes.map(([name, colour]) => ({ name, colour }));
}

async function decode(bytes) {
  const header = readHeader(bytes);
  const data = chunkBytes(bytes, header, "SMAP");
  if (!data) throw new RangeError("the file has no label map");
  const { width, height, labels } = decodeLabelMap(data);
  return {
    width,
    height,
    labels,
    photoWidth: header.width,
    photoHeight: header.height,
    mapScale: header.mapScale,
    classes: await ownClasses(bytes, header),
  };
}

/** What each map starts from: the first worker learns it while the first maps are on their way. */
function begin(start) {
  if (start) startFrom(start);
  self.postMessage({ isReady: true, start: start ? null : startState() });
}

self.addEventListener("message", async ({ data: { key, bytes, start } }) => {
  if (start !== undefined) return void begin(start);
  try {
    const map = await decode(new Uint8Array(bytes));
    self.postMessage({ key, map }, [map.labels.buffer]);
  } catch (error) {
    self.postMessage({ key, error: error.message });
  }
});
