// A photo as large as there is room, stage by stage, with what its label map says under the pointer.

import { stageUrl } from "./api.js";
import { el } from "./dom.js";
import { load, RANKS, show } from "./loading.js";
import { coloured, mapOf } from "./maps.js";
import { tellOf } from "./notice.js";
import { bytes } from "./words.js";

export const STAGES = ["map", "compact", "coarse", "full"];
const LARGEST = 3840;

/** Bits a pixel, with as many digits as tell something. */
function bits(n) {
  return n < 0.1 ? n.toFixed(3) : n.toFixed(2);
}

export class Stages {
  constructor(classes) {
    this.classes = classes;
    this.picture = el("img", { class: "stage-picture", alt: "", draggable: false });
    this.map = el("canvas", { class: "stage-map", hidden: true });
    this.tip = el("div", { class: "stage-tip", hidden: true });
    this.frame = el("div", { class: "stage-frame" }, this.picture, this.map, this.tip);
    this.slider = el("input", {
      type: "range",
      min: "0",
      max: "3",
      step: "1",
      value: "3",
      "aria-label": "Stage",
      oninput: () => this.#choose(Number(this.slider.value)),
    });
    this.told = el("output", { class: "stage-told" });
    this.ticks = el("div", { class: "stage-ticks" });
    this.control = el("div", { class: "stage-control" }, this.slider, this.ticks, this.told);
    this.isOverlaid = false;
    for (const name of ["pointermove", "pointerdown"]) {
      this.frame.addEventListener(name, (event) => this.#point(event));
    }
    this.frame.addEventListener("pointerleave", (event) => {
      if (event.pointerType !== "touch") this.tip.hidden = true; // a finger leaves when it is lifted
    });
  }

  /** Shows a photo from its first stage to its last. `photo` is as in an answer. */
  async show(photo) {
    this.stop();
    this.photo = photo;
    this.giveUp = new AbortController();
    this.blobs = {};
    this.labels = null;
    this.chosen = null; // by hand; otherwise the best there is
    this.details = null;
    this.picture.removeAttribute("src");
    this.picture.alt = photo.name;
    this.map.hidden = true;
    this.tip.hidden = true;
    this.frame.dataset.stage = "none";
    this.frame.style.setProperty("--ratio", String(photo.ratio || 1));
    this.#drawTicks();
    const { signal } = this.giveUp;
    this.mapShown = this.#loadMap(signal);
    for (const stage of ["compact", "coarse", "full"]) {
      if (!this.#has(stage)) continue;
      try {
        await this.#fetch(stage, signal);
      } catch (error) {
        if (signal.aborted) return;
        this.failed = error;
      }
      if (signal.aborted) return; // another photo is shown
    }
    if (!this.blobs.full && !this.blobs.coarse && !this.blobs.compact) {
      this.told.textContent = this.failed?.message ?? "No stage of this photo can be shown.";
    }
  }

  stop() {
    this.giveUp?.abort();
    this.failed = null;
    this.turn = null;
  }

  /** What the file's layers are, once it is known. */
  tell(details) {
    this.details = details;
    this.#drawTicks();
    this.#tell();
  }

  toggleOverlay() {
    this.isOverlaid = !this.isOverlaid;
    this.#showMap();
    return this.isOverlaid;
  }

  #has(stage) {
    return Boolean(this.photo.stages?.[stage]);
  }

  async #loadMap(signal) {
    if (!this.#has("map")) return;
    const labels = await mapOf(this.photo, signal);
    if (signal.aborted || !labels) return;
    this.labels = labels;
    this.map.width = labels.width;
    this.map.height = labels.height;
    this.map.getContext("2d").putImageData(coloured(labels, this.classes), 0, 0);
    const { mapScale, photoWidth, photoHeight } = labels;
    this.map.style.width = `${(100 * labels.width * mapScale) / photoWidth}%`;
    this.map.style.height = `${(100 * labels.height * mapScale) / photoHeight}%`;
    if (this.frame.dataset.stage === "none") this.#reached("map");
    this.#showMap();
  }

  async #fetch(stage, signal) {
    const wanted = Math.ceil(Math.max(innerWidth, innerHeight) * devicePixelRatio);
    const size = stage === "compact" ? null : ([1280, 1920, 2560].find((each) => each >= wanted) ?? LARGEST);
    const url = stageUrl(this.photo, stage, { size });
    this.blobs[stage] = await load(url, RANKS.open, signal);
    await this.mapShown; // the first stage is seen first, however late it comes
    if (signal.aborted) return;
    if (this.chosen === null || this.chosen === stage) await this.#showPicture(stage);
    this.#drawTicks();
  }

  async #showPicture(stage) {
    const { signal } = this.giveUp;
    const turn = (this.turn = {});
    try {
      await show(this.picture, this.blobs[stage]);
    } catch (error) {
      if (turn === this.turn) throw error; // else another one is shown in its place already
    }
    if (turn === this.turn && !signal.aborted) this.#reached(stage);
  }

  #reached(stage) {
    const { dataset } = this.frame;
    dataset.stage = stage;
    dataset.stages = [stage === "map" ? "" : dataset.stages, stage].filter(Boolean).join(" ");
    this.slider.value = String(STAGES.indexOf(stage));
    this.slider.setAttribute("aria-valuetext", stage);
    this.#showMap();
    this.#tell();
  }

  async #choose(number) {
    const stage = STAGES[number];
    this.chosen = stage;
    if (stage !== "map" && !this.blobs[stage]) {
      this.told.textContent = this.#has(stage)
        ? `${stage} is on its way`
        : `This file holds no ${stage} stage`;
      return;
    }
    this.turn = null; // what is being shown gives way
    if (stage === "map") this.#reached("map");
    else await this.#showPicture(stage).catch(tellOf);
  }

  #showMap() {
    const isMap = this.frame.dataset.stage === "map";
    this.map.hidden = !this.labels || !(isMap || this.isOverlaid);
    this.map.classList.toggle("over", !isMap);
    this.picture.classList.toggle("under", isMap);
  }

  #drawTicks() {
    const ends = this.photo.stages ?? {};
    const pixels = this.photo.width * this.photo.height;
    this.ticks.replaceChildren(
      ...STAGES.map((stage) => {
        return el(
          "span",
          {
            class: this.blobs?.[stage] || (stage === "map" && this.labels) ? "tick there" : "tick",
            data: { stage },
          },
          el("span", { class: "tick-name" }, stage),
          el("span", { class: "tick-bytes" }, ends[stage] ? bytes(ends[stage]) : "not kept"),
          ends[stage] && pixels
            ? el("span", { class: "tick-bytes" }, `${bits((8 * ends[stage]) / pixels)} bpp`)
            : null,
        );
      }),
    );
  }

  #tell() {
    const { stage } = this.frame.dataset;
    const end = this.photo.stages?.[stage];
    if (!end) return;
    const pixels = this.photo.width * this.photo.height;
    const all = this.details?.stored;
    const share = all && end < all ? ` of ${bytes(all)}` : "";
    const perPixel = pixels ? `, ${bits((8 * end) / pixels)} bits a pixel` : "";
    this.told.textContent = `${stage}: the first ${bytes(end)}${share} of the file${perPixel}`;
  }

  /** The name of the class under the pointer. */
  #point(event) {
    const isShown = this.labels && !this.map.hidden;
    const box = this.map.getBoundingClientRect();
    const x = (event.clientX - box.left) / box.width;
    const y = (event.clientY - box.top) / box.height;
    this.tip.hidden = !isShown || x < 0 || y < 0 || x >= 1 || y >= 1;
    if (this.tip.hidden) return;
    const { width, height, labels, classes } = this.labels;
    const label = labels[Math.floor(y * height) * width + Math.floor(x * width)];
    const known = classes ? classes[label] : this.classes.find(({ id }) => id === label);
    this.tip.textContent = known?.name ?? `class ${label}`;
    const frame = this.frame.getBoundingClientRect();
    this.tip.style.left = `${event.clientX - frame.left}px`;
    this.tip.style.top = `${event.clientY - frame.top}px`;
  }
}
