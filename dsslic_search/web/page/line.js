// How fast the line is, as far as the answers that bring photos tell.

const SLOW = 200; // bytes a millisecond, and less
const TELLING = 4000; // bytes, from which on their time says something

let isSlow = false;

/** Whether the line is slow, by the last answer that tells. */
export function isLineSlow() {
  return isSlow;
}

/** The JSON of an answer whose head is here; how long its body takes tells of the line. */
export async function timed(answer) {
  const began = performance.now();
  const told = await answer.json();
  const bytes = Number(answer.headers.get("Content-Length"));
  if (bytes >= TELLING) isSlow = bytes < SLOW * (performance.now() - began);
  return told;
}
