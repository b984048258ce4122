// How fast the line is, as far as the answers that bring photos tell.

const SLOW = 200; // bytes a millisecond, and less
const TELLING = 4000; // bytes, from which on their time says something

let isSlow = false;

/** Whether the line is slow, by the last answer that tells. */
export function isLineSlow() {
  return isSlow;
}

/**
 * The JSON of an answer whose head is here; how long its body takes tells of the line. `onText(text)`, if
 * any: called with what is there so far, as it comes.
 */
export async function timed(answer, onText) {
  const began = performance.now();
  const told = onText ? await read(answer, onText) : await answer.json();
  const bytes = Number(answer.headers.get("Content-Length"));
  if (bytes >= TELLING) isSlow = bytes < SLOW * (performance.now() - began);
  return told;
}

async function read(answer, onText) {
  const reader = answer.body.getReader();
  const letters = new TextDecoder();
  let text = "";
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    text += letters.decode(part.value, { stream: true });
    onText(text);
  }
  return JSON.parse(text);
}
