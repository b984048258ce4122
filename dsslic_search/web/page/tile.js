// One photo in the gallery: its label map in its colours at once, then compact, coarse and full, each over
// the one before.

import { stageUrl } from "./api.js";
import { bitmapOf } from "./bitmap.js";
import { el, icon } from "./dom.js";
import { load, RANKS, show } from "./loading.js";
import { mapOf } from "./maps.js";
import { wait } from "./time.js";
import { count } from "./words.js";

const SIZES = [320, 640, 960, 1440]; // few, so that the server makes few
const SETTLE_MS = 160; // a tile that is only scrolled past asks for nothing but its map and compact image

function sizeFor(box) {
  const wanted = Math.max(box.width, box.height) * Math.min(window.devicePixelRatio, 2);
  return SIZES.find((size) => size >= wanted * 0.8) ?? SIZES.at(-1);
}

function described(photo) {
  const parts = [photo.name];
  if (photo.rating) parts.push(count(photo.rating, "star"));
  if (photo.tags?.length) parts.push(`tagged ${photo.tags.join(", ")}`);
  return parts.join(", ");
}

export class Tile {
  #begin;

  constructor(photo, place, box, { classes, total }) {
    this.photo = photo;
    this.place = place;
    this.box = box;
    this.classes = classes;
    this.giveUp = new AbortController();
    this.begun = new Promise((resolve) => (this.#begin = resolve)); // a picture is there, or none comes
    this.image = el("img", { alt: "", draggable: false, class: "picture" });
    this.label = el("span", { class: "tile-name" }, photo.name);
    this.marks = el("span", { class: "tile-marks" });
    this.element = el(
      "div",
      {
        class: "tile",
        role: "option",
        tabindex: "-1",
        "aria-selected": "false",
        "aria-posinset": String(place + 1),
        "aria-setsize": String(total),
        data: { place, id: photo.id, stage: "none" },
      },
      this.image,
      el("span", { class: "tile-check", title: "Select" }, icon("check")),
      this.label,
      this.marks,
    );
    this.move(box);
    this.tell();
    this.#fill();
  }

  move(box) {
    this.box = box;
    const { style } = this.element;
    style.left = `${box.x}px`;
    style.top = `${box.y}px`;
    style.width = `${box.width}px`;
    style.height = `${box.height}px`;
  }

  /** Says anew what is known of the photo. */
  tell() {
    this.element.setAttribute("aria-label", described(this.photo));
    this.marks.textContent = this.photo.rating ? "★".repeat(this.photo.rating) : "";
  }

  set selected(isSelected) {
    this.element.setAttribute("aria-selected", String(isSelected));
  }

  /** Asks again for pictures that could not be had. */
  again() {
    const { dataset } = this.element;
    if (!dataset.failed || this.giveUp.signal.aborted) return;
    delete dataset.failed;
    this.#fill();
  }

  /** Asks for no more pictures. */
  stop() {
    this.giveUp.abort();
    this.#begin();
  }

  remove() {
    this.stop();
    this.element.remove();
  }

  async #fill() {
    const { signal } = this.giveUp;
    const stages = this.photo.stages ?? {};
    await this.#showMap(signal);
    try {
      if (stages.compact) await this.#stage("compact", null, signal);
      this.#begin();
      await wait(SETTLE_MS);
      const size = sizeFor(this.box);
      if (stages.coarse) await this.#stage("coarse", size, signal);
      if (stages.full) await this.#stage("full", size, signal);
      this.element.dataset.settled = "yes";
    } catch (error) {
      if (error.name !== "AbortError") this.element.dataset.failed = error.message;
    } finally {
      this.#begin();
    }
  }

  async #showMap(signal) {
    const map = await mapOf(this.photo, signal);
    if (!map || signal.aborted || this.element.dataset.stage !== "none") return;
    await show(this.image, bitmapOf(map, this.classes)).then(
      () => signal.aborted || this.#reached("map"),
      () => {}, // a map that cannot be shown is passed over, as a stage is
    );
  }

  async #stage(stage, size, signal) {
    if (signal.aborted) throw new DOMException("given up", "AbortError");
    if (this.element.dataset.stages?.includes(stage)) return; // asked again for what comes after it
    let blob;
    try {
      blob = await load(stageUrl(this.photo, stage, { size }), RANKS[stage], signal);
      await show(this.image, blob);
    } catch (error) {
      if (stage === "full" || error.name === "AbortError") throw error;
      return; // a stage that cannot be made is passed over; the next one shows more
    }
    this.#reached(stage);
  }

  #reached(stage) {
    const { dataset } = this.element;
    dataset.stage = stage;
    dataset.stages = [dataset.stages, stage].filter(Boolean).join(" ");
  }
}
