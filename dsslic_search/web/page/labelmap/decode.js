// The decoder of a label map, whose bytes docs/label-map.md describes: SMAP of a .dsslic file.

import { readNumber } from "./file.js";
import { prepared } from "./start.js";
import { Plane, walk } from "./walk.js";

const VERSION = 1;
const COLUMNS = 1;
const STORED = 2;
const WHERE = "the label map's header";
const MAX_LABELS = 1 << 24;

function transposed(labels, height, width) {
  const turned = new Uint8Array(labels.length);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) turned[x * height + y] = labels[y * width + x];
  return turned;
}

function decodeRows(bytes, height, width) {
  const plane = new Plane(height, width);
  const { coder, model } = prepared(bytes);
  walk(plane, coder, model);
  if (coder.next < bytes.length + 3)
    throw new RangeError("the label map's data goes on after its last label");
  return plane.labels();
}

/** `{height, width, labels}`, one byte a label, row by row. RangeError, with a sentence, for damaged data. */
export function decodeLabelMap(bytes) {
  if (!bytes.length) throw new RangeError("the label map's data is empty");
  const way = bytes[0] & 15;
  if (bytes[0] >> 4 !== VERSION || way > STORED)
    throw new RangeError("the label map is of a version not known here");
  let height, width, at;
  [height, at] = readNumber(bytes, 1, WHERE);
  [width, at] = readNumber(bytes, at, WHERE);
  height++;
  width++;
  if (height * width > MAX_LABELS)
    throw new RangeError(`the label map is ${width} × ${height}, too large for a page`);
  const data = bytes.subarray(at);
  if (way === STORED) {
    if (data.length !== height * width)
      throw new RangeError("the label map is not of the size that it declares");
    return { height, width, labels: data.slice() };
  }
  if (way === COLUMNS)
    return { height, width, labels: transposed(decodeRows(data, width, height), width, height) };
  return { height, width, labels: decodeRows(data, height, width) };
}
