// Label maps as pictures, which a browser decodes beside the page: a canvas in each tile would be a layer of
// its own, which is put together anew in every frame while one scrolls.

import { palette } from "./maps.js";

const HEAD = 54; // bytes of the file's header and of the picture's
const COLOURS = 1024; // bytes of a table of 256
const MUTED = 0.8; // of a colour's distance from its grey: photos are the colour of the page
const GREY = [0.213, 0.715, 0.072]; // of red, green and blue, as in CSS' saturate()

const tables = new WeakMap();

/** A map's labels in the colours of its classes, muted: a blob, an uncompressed BMP of 8 bits a pixel. */
export function bitmapOf(map, classes) {
  const { width, height, labels } = map;
  const stride = (width + 3) & ~3; // a row takes a multiple of four bytes
  const head = new DataView(new ArrayBuffer(HEAD));
  head.setUint16(0, 0x424d); // "BM"
  head.setUint32(2, HEAD + COLOURS + stride * height, true);
  head.setUint32(10, HEAD + COLOURS, true);
  head.setUint32(14, 40, true); // bytes of the picture's header
  head.setInt32(18, width, true);
  head.setInt32(22, -height, true); // from the top
  head.setUint16(26, 1, true);
  head.setUint16(28, 8, true);
  head.setUint32(34, stride * height, true);
  return new Blob([head, tableOf(map.classes ?? classes), padded(labels, width, height, stride)], {
    type: "image/bmp",
  });
}

function padded(labels, width, height, stride) {
  if (stride === width) return labels;
  const rows = new Uint8Array(stride * height);
  for (let y = 0; y < height; y++) rows.set(labels.subarray(y * width, (y + 1) * width), y * stride);
  return rows;
}

/** Blue, green, red and a byte that is not used, of each class id. */
function tableOf(classes) {
  if (!tables.has(classes)) {
    const bytes = new Uint8Array(palette(classes).buffer);
    const table = new Uint8Array(COLOURS);
    for (let at = 0; at < COLOURS; at += 4) {
      const grey = GREY.reduce((sum, share, place) => sum + share * bytes[at + place], 0);
      for (let place = 0; place < 3; place++) {
        table[at + 2 - place] = Math.round(grey + MUTED * (bytes[at + place] - grey));
      }
    }
    tables.set(classes, table);
  }
  return tables.get(classes);
}
