// What the page shows is in its address: the query, what photos should be like, and the photo that is open.
// Back and forward work because nothing else decides.

const NAMES = ["q", "similar", "by", "sketch", "mirrored", "photo"];
const FOUND_BY = ["q", "similar", "by", "sketch", "mirrored"];
const EMPTY = Object.fromEntries(NAMES.map((name) => [name, ""]));

function read() {
  const search = new URLSearchParams(location.search);
  return Object.fromEntries(NAMES.map((name) => [name, search.get(name) ?? ""]));
}

function addressOf(state) {
  const search = new URLSearchParams();
  for (const name of NAMES) if (state[name]) search.set(name, state[name]);
  const text = search.toString();
  return text ? `?${text}` : location.pathname;
}

class State {
  constructor() {
    this.now = read();
    this.listeners = new Set();
    window.addEventListener("popstate", () => this.#become(read()));
    if ("scrollRestoration" in history) history.scrollRestoration = "manual";
  }

  /** Calls `listener(now, before)` after each change. */
  listen(listener) {
    this.listeners.add(listener);
  }

  /**
   * Changes what is shown. A new entry of the history, unless `replace`; `place`: where the photo that is
   * opened stands among the others.
   */
  set(changes, { replace = false, place = null } = {}) {
    const next = { ...this.now, ...changes };
    if (NAMES.every((name) => next[name] === this.now[name])) return;
    const opened = Boolean(next.photo) && !this.now.photo;
    const note = { opened: opened || (Boolean(next.photo) && Boolean(history.state?.opened)) };
    if (next.photo && place !== null) note.place = place;
    if (asksTheSame(next, this.now)) note.seen = history.state?.seen ?? 0;
    history[replace ? "replaceState" : "pushState"](note, "", addressOf(next));
    this.#become(next);
  }

  /** Another search: all that was asked before is left out, unless it is in `changes`. */
  search(changes, options) {
    this.set({ ...EMPTY, ...changes }, options);
  }

  /** Closes the photo that is open: back to where it was opened, if that was here. */
  closePhoto() {
    if (history.state?.opened) history.back();
    else this.set({ photo: "" }, { replace: true });
  }

  /** Notes the place of the first photo that is seen, to come back to. */
  sees(place) {
    if ((history.state?.seen ?? 0) !== place) history.replaceState({ ...history.state, seen: place }, "");
  }

  /** The place that was noted last where this was shown before. */
  get seen() {
    return history.state?.seen ?? 0;
  }

  /** What photos are asked for, as parameters of /api/query. */
  get asked() {
    return Object.fromEntries(FOUND_BY.map((name) => [name, this.now[name]]));
  }

  hrefWith(changes) {
    return addressOf({ ...this.now, ...changes });
  }

  #become(next) {
    const before = this.now;
    this.now = next;
    for (const listener of this.listeners) listener(next, before);
  }
}

export const state = new State();

/** Whether two states ask for the same photos. */
export function asksTheSame(one, other) {
  return FOUND_BY.every((name) => one[name] === other[name]);
}
