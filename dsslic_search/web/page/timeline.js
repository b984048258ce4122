// When photos were taken: a bar a month; a click asks for one, a drag for several.

import { byId, el } from "./dom.js";
import { search } from "./search.js";
import { count, month } from "./words.js";

const MOST_MONTHS = 600; // more than that are drawn by year

function monthNumber(text) {
  const [year, month] = text.split("-").map(Number);
  return year * 12 + month - 1;
}

function monthText(n) {
  return `${Math.floor(n / 12)}-${String((n % 12) + 1).padStart(2, "0")}`;
}

/** The query's part that this timeline makes. */
const ISOLATED = /^taken:\d{4}(-\d{2})?(\.\.\d{4}(-\d{2})?)?$/;

class Timeline {
  start() {
    this.element = byId("timeline");
    this.bars = el("div", { class: "timeline-bars", role: "group", "aria-label": "Photos by month" });
    this.years = el("div", { class: "timeline-years", "aria-hidden": "true" });
    this.told = el("output", { class: "timeline-told" });
    this.element.append(this.bars, this.years, this.told);
    this.bars.addEventListener("pointerdown", (event) => this.#down(event));
    this.bars.addEventListener("pointermove", (event) => this.#move(event));
    this.bars.addEventListener("pointerup", () => this.#up());
    this.bars.addEventListener("pointercancel", () => this.#clear());
    this.bars.addEventListener("pointerleave", () => !this.from && this.#tell(null));
    this.bars.addEventListener("keydown", (event) => this.#key(event));
  }

  show(months) {
    this.element.hidden = months.length < 2;
    if (this.element.hidden) return;
    const first = monthNumber(months[0].month);
    const last = monthNumber(months.at(-1).month);
    const step = last - first > MOST_MONTHS ? 12 : 1;
    const from = step === 12 ? first - (first % 12) : first;
    const counts = new Map();
    for (const each of months) {
      const slot = Math.floor((monthNumber(each.month) - from) / step);
      counts.set(slot, (counts.get(slot) ?? 0) + each.count);
    }
    const slots = Math.floor((last - from) / step) + 1;
    const most = Math.max(...counts.values());
    this.slots = Array.from({ length: slots }, (_, i) => ({
      from: from + i * step,
      to: from + i * step + step - 1,
      count: counts.get(i) ?? 0,
    }));
    this.bars.replaceChildren(...this.slots.map((slot, i) => this.#bar(slot, i, most)));
    this.#drawYears(from, step, slots);
  }

  #bar({ from, to, count: photos }, i, most) {
    const name = from === to ? month(monthText(from)) : String(Math.floor(from / 12));
    const fill = el("span", {});
    fill.style.height = photos ? `${Math.max((100 * Math.sqrt(photos)) / Math.sqrt(most), 6)}%` : "0";
    if (!photos) return el("span", { class: "timeline-bar", data: { slot: i } }, fill);
    const label = `${name}, ${count(photos, "photo")}`;
    return el(
      "button",
      {
        type: "button",
        class: "timeline-bar",
        "aria-label": label,
        tabindex: i ? "-1" : "0",
        data: { slot: i },
      },
      fill,
    );
  }

  #drawYears(from, step, slots) {
    const years = [];
    for (let i = 0; i < slots; i++)
      if ((from + i * step) % 12 === 0) years.push([i, Math.floor((from + i * step) / 12)]);
    const every = Math.ceil(years.length / Math.max(Math.floor(this.element.clientWidth / 72), 1));
    this.years.replaceChildren(
      ...years
        .filter((_, i) => i % every === 0)
        .map(([i, year]) => {
          const label = el("span", {}, String(year));
          label.style.left = `min(${(100 * i) / slots}%, 100% - 2.3rem)`; // the last is seen whole
          return label;
        }),
    );
  }

  #slotAt(event) {
    const { left, width } = this.bars.getBoundingClientRect();
    const i = Math.floor(((event.clientX - left) / width) * this.slots.length);
    return Math.min(Math.max(i, 0), this.slots.length - 1);
  }

  #down(event) {
    this.from = { slot: this.#slotAt(event) };
    this.to = this.from.slot;
    this.bars.setPointerCapture(event.pointerId);
    this.#mark();
  }

  #move(event) {
    const slot = this.#slotAt(event);
    if (!this.from) return this.#tell(this.slots[slot]);
    this.to = slot;
    this.#mark();
  }

  #up() {
    if (!this.from) return;
    const [low, high] = [this.from.slot, this.to].sort((a, b) => a - b);
    this.#clear();
    this.#ask(this.slots[low].from, this.slots[high].to);
  }

  #clear() {
    this.from = null;
    for (const bar of this.bars.children) bar.classList.remove("chosen");
  }

  #mark() {
    const [low, high] = [this.from.slot, this.to].sort((a, b) => a - b);
    [...this.bars.children].forEach((bar, i) => bar.classList.toggle("chosen", i >= low && i <= high));
    const photos = this.slots.slice(low, high + 1).reduce((sum, slot) => sum + slot.count, 0);
    this.#tell({ from: this.slots[low].from, to: this.slots[high].to, count: photos });
  }

  #tell(slot) {
    if (!slot) return (this.told.textContent = "");
    const name = month(monthText(slot.from));
    const until = slot.from === slot.to ? "" : ` to ${month(monthText(slot.to))}`;
    this.told.textContent = `${name}${until}: ${count(slot.count, "photo")}`;
  }

  #ask(from, to) {
    const text = from === to ? `taken:${monthText(from)}` : `taken:${monthText(from)}..${monthText(to)}`;
    search.add(text, (part) => ISOLATED.test(part));
  }

  #key(event) {
    const bars = [...this.bars.querySelectorAll("button")];
    const at = bars.indexOf(document.activeElement);
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step && at >= 0) {
      event.preventDefault();
      const next = bars[Math.min(Math.max(at + step, 0), bars.length - 1)];
      bars[at].tabIndex = -1;
      next.tabIndex = 0;
      next.focus();
      this.#tell(this.slots[Number(next.dataset.slot)]);
    } else if ((event.key === "Enter" || event.key === " ") && at >= 0) {
      event.preventDefault();
      const slot = this.slots[Number(bars[at].dataset.slot)];
      this.#ask(slot.from, slot.to);
    }
  }
}

export const timeline = new Timeline();
