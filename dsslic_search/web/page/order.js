// The order of the photos, a part of the query like any other.

import { byId, el } from "./dom.js";
import { search } from "./search.js";
import { asksTheSame, state } from "./state.js";

const ORDERS = [
  ["", "Best first"],
  ["-taken", "Last taken first"],
  ["taken", "First taken first"],
  ["-added", "Last added first"],
  ["-rating", "Best rated first"],
  ["-megapixels", "Most pixels first"],
  ["-size", "Largest files first"],
  ["name", "By name"],
  ["-brightness", "Brightest first"],
  ["brightness", "Darkest first"],
];

const isOrder = (text, { reading }) => /^sort:/.test(reading);

/** The order of photos that nothing sorts. Those that nothing asks for are equally good. */
function unsorted() {
  const { similar, sketch } = state.now;
  const chips = search.reading?.chips ?? [];
  const isAll = !similar && !sketch && chips.every((chip) => isOrder(chip.text, chip));
  return isAll ? "Newest first" : "Best first";
}

export function startOrder() {
  const select = byId("order");
  select.parentElement.hidden = false;
  select.append(...ORDERS.map(([value, label]) => el("option", { value }, label)));
  select.addEventListener("change", () => {
    const part = select.value ? `sort:${select.value}` : "";
    search.add(part, isOrder);
  });
  const tell = () => (select.options[0].textContent = unsorted());
  state.listen((now, before) => asksTheSame(now, before) || tell());
  search.onRead(({ order }) => {
    tell();
    const value = order ?? "";
    select.querySelector("[data-own]")?.remove();
    if (!ORDERS.some(([known]) => known === value)) {
      select.append(el("option", { value, data: { own: "yes" } }, `By ${value.replace("-", "")}`));
    }
    select.value = value;
  });
}
