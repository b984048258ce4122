// An answer of many parts, each used as soon as it is there: on a slow line the first of thirty comes long
// before the last.

const HEAD = 8; // bytes before each part: its id and its length, as little-endian u32

/** The parts of an answer's body as `{id, bytes}`; what is cut off at its end is left out. */
export async function* parts(body) {
  const reader = body.getReader();
  let held = new Uint8Array();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
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
