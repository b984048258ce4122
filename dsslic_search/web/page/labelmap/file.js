// The first bytes of a .dsslic file: its header, and where each chunk lies (docs/format.md).

const MAGIC = [0x89, 0x44, 0x53, 0x4c];
const FULL = [0x0d, 0x0a, 0x1a, 0x0a];
const TABLE_AT = 51;
const ENTRY = 13;
const LEAST_SHORT = 14;
const CHECKSUM = 4;
const LABELS_A_SIDE = 256; // by which a short header's map scale is chosen where it tells none
const MAYBE = "hand sure word COMP RESI ALPH hash exif xmpp iptc srce".split(" ");

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, i) => {
  let c = i;
  for (let k = 0; k < 8; k++) c = c & 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1;
  return c;
});

/** CRC-32 of some bytes, as zlib computes it. */
export function crc32(bytes) {
  let c = 0xffffffff;
  for (const byte of bytes) c = CRC_TABLE[(c ^ byte) & 255] ^ (c >>> 8);
  return (c ^ 0xffffffff) >>> 0;
}

/** `[the number that starts at a byte, where the next one is]`; RangeError when it is oddly written. */
export function readNumber(bytes, at, where) {
  let value = 0;
  for (let i = 0; i < 5; i++) {
    if (at + i >= bytes.length) throw new RangeError(`${where} is cut off`);
    const byte = bytes[at + i];
    value += (byte & 127) * 128 ** i;
    if (byte < 128) {
      if ((byte === 0 && i > 0) || value >= 2 ** 32) break;
      return [value, at + i + 1];
    }
  }
  throw new RangeError(`${where} is damaged`);
}

function checkHeader(bytes, length) {
  if (bytes.length < length) throw new RangeError("the header is cut off");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (crc32(bytes.subarray(0, length - CHECKSUM)) !== view.getUint32(length - CHECKSUM, true))
    throw new RangeError("the header is damaged");
  return view;
}

function readFull(bytes) {
  if (bytes[8] !== 1) throw new RangeError(`the file is of version ${bytes[8]}, not known here`);
  const length = bytes[9] | (bytes[10] << 8);
  if (bytes.length < TABLE_AT || length !== TABLE_AT + CHECKSUM + ENTRY * bytes[50])
    throw new RangeError("the header is cut off");
  const view = checkHeader(bytes, length);
  const lines = [];
  for (let at = TABLE_AT; at < length - CHECKSUM; at += ENTRY) {
    lines.push({
      kind: String.fromCharCode(...bytes.subarray(at, at + 4)),
      bytes: view.getUint32(at + 5, true),
      crc: view.getUint32(at + 9, true),
      mask: 0xffffffff,
    });
  }
  const [width, height] = [view.getUint32(11, true), view.getUint32(15, true)];
  return { length, width, height, mapScale: view.getUint16(20, true), lines };
}

function readShort(bytes) {
  const length = bytes[4];
  checkHeader(bytes, length);
  const body = bytes.subarray(0, length - CHECKSUM);
  const flags = body[5] | (body[6] << 8);
  let at = 7;
  const next = () => {
    const [value, after] = readNumber(body, at, "the header");
    at = after;
    return value;
  };
  const [width, height] = [next(), next()];
  const mapScale = flags & 8 ? next() : Math.ceil(Math.max(width, height) / LABELS_A_SIDE);
  at += body[at] & 128 ? 4 : 2; // the quality, its QPs where they are its own, and the networks' number
  const lines = ["SMAP", ...MAYBE.filter((_, i) => (flags >> (5 + i)) & 1)].map((kind) => {
    const start = at;
    const count = next();
    const size = Math.min(at - start + 1, 4);
    let crc = 0;
    for (let i = 0; i < size; i++) crc += (body[at + i] ?? 0) * 256 ** i;
    at += size;
    return { kind, bytes: count, crc, mask: 0xffffffff >>> (8 * (4 - size)) };
  });
  if (at !== body.length) throw new RangeError("the header is not as long as its table");
  return { length, width, height, mapScale, lines };
}

/**
 * `{width, height, mapScale, chunks: {SMAP: {start, end, crc, mask}, …}}` of a file's first bytes.
 * RangeError, with a sentence, when they are not a header.
 */
export function readHeader(bytes) {
  const begins = (wanted, at) => wanted.every((byte, i) => bytes[at + i] === byte);
  const full = begins(FULL, 4);
  if (!begins(MAGIC, 0) || !(full || bytes[4] >= LEAST_SHORT))
    throw new RangeError("these bytes are not the beginning of a .dsslic file");
  const { length, lines, ...told } = full ? readFull(bytes) : readShort(bytes);
  const chunks = {};
  let start = length;
  for (const { kind, bytes: count, crc, mask } of lines) {
    chunks[kind] = { start, end: start + count, crc, mask };
    start += count;
  }
  return { ...told, chunks };
}

/** The bytes of one chunk, checked; null when the file has none. */
export function chunkBytes(bytes, header, kind) {
  const chunk = header.chunks[kind];
  if (!chunk) return null;
  if (bytes.length < chunk.end) throw new RangeError(`the file's ${kind} is cut off`);
  const data = bytes.subarray(chunk.start, chunk.end);
  if ((crc32(data) & chunk.mask) >>> 0 !== chunk.crc) throw new RangeError(`the file's ${kind} is damaged`);
  return data;
}
