// The first bytes of a .dsslic file: its header, and where each chunk lies (docs/format.md).

const MAGIC = [0x89, 0x44, 0x53, 0x4c, 0x0d, 0x0a, 0x1a, 0x0a];
const TABLE_AT = 51;
const ENTRY = 13;

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

/**
 * `{width, height, mapScale, chunks: {SMAP: {start, end, codec, crc}, …}}` of a file's first bytes.
 * RangeError, with a sentence, when they are not a header.
 */
export function readHeader(bytes) {
  if (bytes.length < TABLE_AT || MAGIC.some((byte, i) => bytes[i] !== byte)) {
    throw new RangeError("these bytes are not the beginning of a .dsslic file");
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = view.getUint16(9, true);
  const count = bytes[50];
  if (bytes[8] !== 1) throw new RangeError(`the file is of version ${bytes[8]}, not known here`);
  if (length !== TABLE_AT + 4 + ENTRY * count || bytes.length < length)
    throw new RangeError("the header is cut off");
  if (crc32(bytes.subarray(0, length - 4)) !== view.getUint32(length - 4, true)) {
    throw new RangeError("the header is damaged");
  }
  const chunks = {};
  let start = length;
  for (let at = TABLE_AT; at < length - 4; at += ENTRY) {
    const kind = String.fromCharCode(...bytes.subarray(at, at + 4));
    const end = start + view.getUint32(at + 5, true);
    chunks[kind] = { start, end, codec: bytes[at + 4], crc: view.getUint32(at + 9, true) };
    start = end;
  }
  return {
    width: view.getUint32(11, true),
    height: view.getUint32(15, true),
    mapScale: view.getUint16(20, true),
    chunks,
  };
}

/** The bytes of one chunk, checked; null when the file has none. */
export function chunkBytes(bytes, header, kind) {
  const chunk = header.chunks[kind];
  if (!chunk) return null;
  if (bytes.length < chunk.end) throw new RangeError(`the file's ${kind} is cut off`);
  const data = bytes.subarray(chunk.start, chunk.end);
  if (crc32(data) !== chunk.crc) throw new RangeError(`the file's ${kind} is damaged`);
  return data;
}
