// Numbers and dates as people read them.

const NUMBER = new Intl.NumberFormat("en");
const UNITS = ["bytes", "kB", "MB", "GB", "TB"];

export function count(n, one, several = `${one}s`) {
  return `${NUMBER.format(n)} ${n === 1 ? one : several}`;
}

export function number(n) {
  return NUMBER.format(n);
}

/** Bytes in powers of 1000, three digits: "38.8 kB". */
export function bytes(n) {
  if (n === null || n === undefined) return "";
  let unit = 0;
  while (n >= 999.5 && unit < UNITS.length - 1) {
    n /= 1000;
    unit++;
  }
  if (unit === 0) return `${n} ${n === 1 ? "byte" : "bytes"}`;
  return `${n.toPrecision(3).replace(/^(\d+)\.0+$/, "$1")} ${UNITS[unit]}`;
}

/** A fraction as a percentage, with a decimal below ten. */
export function percent(fraction) {
  const value = fraction * 100;
  return `${value < 9.95 ? value.toFixed(1) : Math.round(value)} %`;
}

/** "2021-06-05T12:30:00" as "5 June 2021, 12:30". */
export function date(text) {
  if (!text) return "";
  const [day, time] = text.split(/[T ]/);
  const [year, month, date] = day.split("-").map(Number);
  const shown = new Intl.DateTimeFormat("en-GB", { dateStyle: "long", timeZone: "UTC" }).format(
    Date.UTC(year, (month || 1) - 1, date || 1),
  );
  return time ? `${shown}, ${time.slice(0, 5)}` : shown;
}

/** "2021-06" as "June 2021". */
export function month(text) {
  const [year, month] = text.split("-").map(Number);
  return new Intl.DateTimeFormat("en-GB", { month: "long", year: "numeric", timeZone: "UTC" }).format(
    Date.UTC(year, month - 1, 1),
  );
}

/** What the server's sentences tell programs to ask, and what people find on the page in its place. */
const ON_THE_PAGE = [
  [", or see `/api/archive` for the words there are", ""],
  ["see them all with: /api/tags", 'type "tag:" to see them all'],
  ["give one with: POST /api/tags", "choose photos to give them one"],
  ["see them with: /api/saved", "see Saved queries in the menu"],
];

/** A sentence of the server for people, with a capital letter at its beginning. */
export function sentence(text) {
  for (const [asked, found] of ON_THE_PAGE) text = text.replace(asked, found);
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Names of tags as they are typed, by commas; each is one word. */
export function tagNames(text) {
  return text
    .split(",")
    .map((name) => name.trim().replace(/\s+/g, "-"))
    .filter(Boolean);
}
