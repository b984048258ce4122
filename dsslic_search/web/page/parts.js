// An answer of many parts, each used as soon as it is there: on a slow line the first of thirty comes long
// before the last.

const HEAD = 8; // bytes before each part: its id and its length, as little-endian u32
const SLOW = 200; // bytes a millisecond, and less
const TELLING = 1000; // bytes, from which on their time says something
const AT_ONCE = 8000; // bytes in one piece come over no slow line

let isSlow = false;

/** Whether the line is slow, as far as the last answers tell. */
export function isLineSlow() {
  return isSlow;
}

/** The parts of an answer's body as `{id, bytes}`; what is cut off at its end is left out. */
export async function* parts(body) {
  const reader = body.getReader();
  let held = new Uint8Array();
  let began = null; // when the first piece was there
  let since = 0; // bytes that came after it
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    if (began === null) began = performance.now();
    else since += value.length;
    if (since >= TELLING) isSlow = since < SLOW * (performance.now() - began);
    else if (!since && value.length >= AT_ONCE) isSlow = false;
    held = joined(held, value);
    while (held.length >= HEAD) {
      const view = new DataView(held.buffer, held.byteOffset, HEAD);
      const end = HEAD + view.getUint32(4, true);
      if (held.length < end) break;
      yield { id: view.getUint32(0, true), bytes: held.slice(HEAD, end).buffer };
      held = held.subarray(end);
    }
  }
}

function joined(one, other) {
  const whole = new Uint8Array(one.length + other.length);
  whole.set(one);
  whole.set(other, one.length);
  return whole;
}
