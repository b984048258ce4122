// Changes of the archive that this page makes itself: what comes of them is not told as another's.

let underWay = 0;
let begun = 0;

/** Does `work`, which changes the archive, or shows what was changed. */
export async function change(work) {
  begun++;
  underWay++;
  try {
    return await work();
  } finally {
    underWay--;
  }
}

/** What `ask` gives; null where the page was changing something, or began to, before it was there. */
export async function unlessChanging(ask) {
  const before = begun;
  const answer = underWay ? null : await ask();
  return before === begun ? answer : null;
}
