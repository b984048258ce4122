// The order of the photos, a part of the query like any other.

import { byId, el } from "./dom.js";
import { search } from "./search.js";

const ORDERS = [
  ["", "Best first"],
  ["-taken", "Newest first"],
  ["taken", "Oldest first"],
  ["-added", "Last added first"],
  ["-rating", "Best rated first"],
  ["-megapixels", "Most pixels first"],
  ["-size", "Largest files first"],
  ["name", "By name"],
  ["-brightness", "Brightest first"],
  ["brightness", "Darkest first"],
];

const isOrder = (text, { reading }) => /^sort:/.test(reading);

export function startOrder() {
  const select = byId("order");
  select.parentElement.hidden = false;
  select.append(...ORDERS.map(([value, label]) => el("option", { value }, label)));
  select.addEventListener("change", () => {
    const part = select.value ? `sort:${select.value}` : "";
    search.refine(search.with(part, isOrder));
  });
  search.onRead(({ order }) => {
    const value = order ?? "";
    select.querySelector("[data-own]")?.remove();
    if (!ORDERS.some(([known]) => known === value)) {
      select.append(el("option", { value, data: { own: "yes" } }, `By ${value.replace("-", "")}`));
    }
    select.value = value;
  });
}
