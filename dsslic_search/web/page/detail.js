// One photo, large: its stages, what is known of it, and the ones before and after. It lies over the gallery;
// closing it goes back to where it was opened.

import { api } from "./api.js";
import { button, byId, el } from "./dom.js";
import { factsOf } from "./facts.js";
import { say, tellOf } from "./notice.js";
import { Stages } from "./stages.js";
import { state } from "./state.js";

const SWIPE_PX = 50;

class Detail {
  start(archive, gallery) {
    this.archive = archive;
    this.gallery = gallery; // {results, focus(place), changed(id)}
    this.element = byId("detail");
    this.stages = new Stages(archive.classes);
    this.name = el("h2", { class: "detail-name", id: "detail-name", tabindex: "-1" });
    this.position = el("span", { class: "detail-position" });
    this.facts = el("aside", { class: "facts", "aria-label": "What is known of this photo" });
    this.overlay = button("layers", "Show what each part is", () => this.#overlay(), {
      "aria-pressed": "false",
    });
    this.before = button("left", "Photo before", () => this.step(-1), { class: "button quiet side before" });
    this.after = button("right", "Next photo", () => this.step(1), { class: "button quiet side after" });
    this.element.append(
      el(
        "div",
        { class: "detail-stage" },
        el(
          "header",
          { class: "detail-head" },
          button("left", "Back to the photos", () => state.closePhoto()),
          this.name,
          this.position,
          this.overlay,
          button("full", "Full screen", () => this.#fullScreen()),
          button("menu", "Facts", () => this.element.classList.toggle("plain"), {
            class: "button quiet facts-toggle",
          }),
        ),
        el("div", { class: "stage-room" }, this.stages.frame),
        this.before,
        this.after,
        this.stages.control,
      ),
      this.facts,
    );
    document.addEventListener("keydown", (event) => this.isOpen && this.#key(event));
    this.facts.addEventListener("click", (event) => {
      const link = event.target.closest("a[data-q]");
      if (!link || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      state.search({ q: link.dataset.q });
    });
    onSwipe(this.element.querySelector(".stage-room"), (direction) => this.step(direction));
    state.listen((now, before) => now.photo !== before.photo && this.#shown(now.photo));
  }

  get isOpen() {
    return !this.element.hidden;
  }

  /** Shows what the address says, once the first photos are there. */
  async show() {
    await this.#shown(state.now.photo);
  }

  async #shown(text) {
    if (!text) return this.#close();
    const id = Number(text);
    if (!Number.isSafeInteger(id) || id < 1) {
      tellOf(new Error(`There is no photo ${text}.`));
      return state.set({ photo: "" }, { replace: true });
    }
    this.giveUp?.abort();
    this.giveUp = new AbortController();
    const { signal } = this.giveUp;
    const results = this.gallery.results;
    this.place = results?.placeOf(id) ?? -1;
    this.#open();
    if (this.place < 0 && results && history.state?.place >= 0) {
      // after going back, or a reload: it stood there among the photos
      await results.photoAt(history.state.place).catch(() => null);
      if (signal.aborted) return;
      this.place = results.placeOf(id);
    }
    const known = this.place >= 0 ? results.at(this.place) : null;
    this.facts.replaceChildren(el("p", { class: "muted" }, "…"));
    this.details = null; // what is known is of the photo before: no key may change that one any more
    if (known) this.#begin(known);
    try {
      const details = await api.photo(id, signal);
      if (!known) this.#begin({ ...details, ratio: details.width / details.height });
      this.#tell(details);
    } catch (error) {
      if (error.name === "AbortError") return;
      if (known) return tellOf(error);
      tellOf(error);
      state.set({ photo: "" }, { replace: true });
    }
  }

  #open() {
    if (this.isOpen) return;
    this.element.hidden = false;
    for (const other of document.body.children) {
      if (other !== this.element && other.id !== "notices" && other.id !== "said") other.inert = true;
    }
    document.documentElement.classList.add("detail-open");
    this.name.focus({ preventScroll: true });
  }

  #close() {
    if (!this.isOpen) return;
    this.giveUp?.abort();
    this.stages.stop();
    this.element.hidden = true;
    for (const other of document.body.children) other.inert = false;
    document.documentElement.classList.remove("detail-open");
    if (document.fullscreenElement) document.exitFullscreen();
    if (this.place >= 0) this.gallery.focus(this.place);
  }

  #begin(photo) {
    this.name.textContent = photo.name;
    document.title = `${photo.name} · ${this.archive.name}`;
    this.#tellPlace();
    say(`${photo.name}, ${this.position.textContent}`);
    this.stages.show(photo);
  }

  /** Where it stands among the photos found. */
  #tellPlace() {
    const total = this.gallery.results?.total;
    this.position.textContent =
      this.place >= 0 ? `${(this.place + 1).toLocaleString("en")} of ${total.toLocaleString("en")}` : "";
    this.before.disabled = this.place <= 0;
    this.after.disabled = this.place < 0 || this.place >= total - 1;
  }

  #tell(details) {
    const focused = document.activeElement?.dataset.keep;
    this.details = details;
    this.stages.tell(details);
    this.facts.replaceChildren(
      ...factsOf(details, {
        classes: this.archive.classes,
        isReadOnly: this.archive.readOnly,
        changed: (next) => {
          this.gallery.changed([next.id], (photo) => {
            photo.tags = next.tags;
            photo.rating = next.rating;
          });
          if (this.details?.id === next.id) this.#tell(next);
        },
        broughtBack: () => this.#broughtBack(details),
      }),
    );
    if (focused) (this.facts.querySelector(`[data-keep="${focused}"]`) ?? this.name).focus();
  }

  async #broughtBack(details) {
    this.#tell({ ...details, facts: { ...details.facts, state: "here" } });
    await this.gallery.again();
    if (this.details?.id !== details.id) return;
    this.place = this.gallery.results?.placeOf(details.id) ?? -1;
    this.#tellPlace();
  }

  async step(direction) {
    if (this.place < 0) return;
    const place = this.place + direction;
    const { signal } = this.giveUp;
    try {
      const photo = await this.gallery.results.photoAt(place);
      if (photo && !signal.aborted) state.set({ photo: String(photo.id) }, { replace: true, place });
    } catch (error) {
      tellOf(error);
    }
  }

  #overlay() {
    this.overlay.setAttribute("aria-pressed", String(this.stages.toggleOverlay()));
  }

  #fullScreen() {
    // of the whole page, over which this lies: so messages are seen, too
    if (document.fullscreenElement) document.exitFullscreen();
    else document.documentElement.requestFullscreen?.().catch(tellOf);
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const isTyping = event.target.matches('input[type="text"]');
    const isSliding = event.target.matches('input[type="range"]');
    if (event.key === "Escape") {
      if (isTyping) this.name.focus();
      else state.closePhoto();
    } else if (event.key === "Tab") return this.#keepInside(event);
    else if (isTyping) return;
    else if (event.key === "ArrowRight" && !isSliding) this.step(1);
    else if (event.key === "ArrowLeft" && !isSliding) this.step(-1);
    else if (event.key === "o") this.#overlay();
    else if (event.key === "f") this.#fullScreen();
    else if (event.key === "i") this.element.classList.toggle("plain");
    else if (/^[0-5]$/.test(event.key) && this.details && !this.archive.readOnly)
      this.#rate(Number(event.key));
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  async #rate(rating) {
    const { id } = this.details;
    try {
      await api.rate([id], rating);
      this.gallery.changed([id], (photo) => (photo.rating = rating || null));
      if (this.details?.id === id) this.#tell({ ...this.details, rating: rating || null });
    } catch (error) {
      tellOf(error);
    }
  }

  /** The Tab key goes round among what is on the photo. */
  #keepInside(event) {
    const all = [...this.element.querySelectorAll("a, button, input, [tabindex='0']")].filter(
      (each) => !each.disabled && each.offsetParent !== null,
    );
    const edge = event.shiftKey ? all[0] : all.at(-1);
    if (document.activeElement !== edge) return;
    event.preventDefault();
    (event.shiftKey ? all.at(-1) : all[0]).focus();
  }
}

/** Calls `swiped(-1 or 1)` after one finger went sideways; not where it scrolled, or two zoomed. */
function onSwipe(element, swiped) {
  let from = null;
  const start = (event) => {
    const [touch] = event.touches;
    from = event.touches.length === 1 && visualViewport.scale < 1.05 ? touch : null;
  };
  element.addEventListener("touchstart", start, { passive: true });
  element.addEventListener("touchcancel", () => (from = null));
  element.addEventListener("touchend", (event) => {
    if (!from) return;
    const right = event.changedTouches[0].clientX - from.clientX;
    const down = event.changedTouches[0].clientY - from.clientY;
    from = null;
    if (Math.abs(right) > SWIPE_PX && Math.abs(right) > 1.5 * Math.abs(down)) swiped(right > 0 ? -1 : 1);
  });
}

export const detail = new Detail();
