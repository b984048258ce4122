// Painting a layout: classes as brushes on a canvas, and photos laid out like it as one paints.

import { api } from "./api.js";
import { ANYTHING, Painting } from "./brush.js";
import { button, byId, el } from "./dom.js";
import { palette } from "./maps.js";
import { say, tellOf } from "./notice.js";
import { state } from "./state.js";

const SHAPES = { wide: [64, 48], square: [56, 56], high: [48, 64] };
const SIZES = { small: 1.5, medium: 4, large: 8 };
const SEND_MS = 220;
const KEPT = "dss-paintings";
const MOST_KEPT = 20;

class Paint {
  start(classes) {
    this.classes = classes;
    this.colours = palette(classes);
    this.panel = byId("paint");
    this.painting = new Painting(...SHAPES.wide);
    this.shape = "wide";
    this.tool = "brush";
    this.radius = SIZES.medium;
    this.mirrored = false;
    const usual = [...classes].sort((a, b) => b.photos - a.photos)[0];
    this.label = (classes.find(({ name }) => name === "sky") ?? usual).id;
    this.caret = { x: 32, y: 24 };
    this.#build();
    state.listen((now, before) => now.sketch !== before.sketch && this.#asked(now.sketch));
    if (state.now.sketch) {
      this.#restore(state.now.sketch);
      this.toggle(true, false);
    }
  }

  toggle(isOpen = this.panel.hidden, takesFocus = true) {
    this.panel.hidden = !isOpen;
    byId("paint-toggle").setAttribute("aria-expanded", String(isOpen));
    if (!isOpen && state.now.sketch) state.set({ sketch: "", mirrored: "" });
    if (isOpen && !state.now.sketch && !this.painting.isEmpty) this.#changed();
    if (takesFocus) (isOpen ? this.canvas : byId("paint-toggle")).focus();
    this.#draw();
  }

  #build() {
    this.canvas = el("canvas", {
      class: "painting",
      tabindex: "0",
      role: "application",
      "aria-label":
        "Canvas. Paint with the pointer, or move with the arrow keys and paint with the space bar.",
      onpointerdown: (event) => this.#down(event),
      onkeydown: (event) => this.#key(event),
    });
    this.find = el("input", {
      type: "search",
      placeholder: "Find a class",
      "aria-label": "Find a class",
      oninput: () => this.#drawBrushes(),
    });
    this.brushes = el("div", { class: "brushes", role: "radiogroup", "aria-label": "Class to paint with" });
    this.tools = el("div", { class: "row tools" });
    this.told = el("p", { class: "muted paint-told" });
    this.panel.append(
      el(
        "header",
        { class: "panel-head" },
        el("h2", {}, "Paint a layout"),
        button("close", "Close the canvas", () => this.toggle(false)),
      ),
      el("div", { class: "painting-frame" }, this.canvas),
      this.told,
      this.tools,
      this.find,
      this.brushes,
    );
    this.#drawTools();
    this.#drawBrushes();
    this.#draw();
  }

  #drawTools() {
    const tool = (name, label) =>
      button(name, label, () => ((this.tool = name), this.#drawTools()), {
        "aria-pressed": String(this.tool === name),
      });
    const choice = (label, values, now, chosen) =>
      el(
        "select",
        { "aria-label": label, onchange: (event) => chosen(event.target.value) },
        Object.keys(values).map((name) => el("option", { value: name, selected: name === now }, name)),
      );
    const size = Object.keys(SIZES).find((name) => SIZES[name] === this.radius);
    this.tools.replaceChildren(
      tool("brush", "Brush"),
      tool("erase", "Erase: anything may be there"),
      tool("fill", "Fill"),
      button("mirror", "Paint both sides alike, and find mirror images too", () => this.#mirror(), {
        "aria-pressed": String(this.mirrored),
      }),
      button("undo", "Undo", () => this.painting.undo() && this.#changed()),
      button("bin", "Clear: anything everywhere", () => (this.painting.clear(), this.#changed())),
      choice("Size of the brush", SIZES, size, (name) => (this.radius = SIZES[name])),
      choice("Shape of the canvas", SHAPES, this.shape, (name) => this.#reshape(name)),
    );
  }

  #drawBrushes() {
    const wanted = this.find.value.trim().toLowerCase();
    const shown = this.classes
      .filter(({ name }) => name !== "other" && name.includes(wanted))
      .sort((a, b) => b.photos - a.photos);
    const brush = (id, name, colour) => {
      const isChosen = this.label === id;
      const swatch = el("span", { class: colour ? "swatch" : "swatch anything" });
      if (colour) swatch.style.background = colour;
      return el(
        "button",
        {
          type: "button",
          role: "radio",
          class: "brush",
          "aria-checked": String(isChosen),
          onclick: () => this.#choose(id, name),
        },
        swatch,
        el("span", {}, name),
      );
    };
    this.brushes.replaceChildren(
      brush(ANYTHING, "anything", null),
      ...shown.map(({ id, name, colour }) => brush(id, name, colour)),
    );
  }

  #choose(id, name) {
    this.label = id;
    if (this.tool === "erase") this.tool = "brush";
    this.#drawTools();
    this.#drawBrushes();
    say(`Brush: ${name}`);
    this.brushes.querySelector('[aria-checked="true"]')?.focus();
  }

  #mirror() {
    this.mirrored = !this.mirrored;
    this.#drawTools();
    if (state.now.sketch) state.set({ mirrored: this.mirrored ? "1" : "" }, { replace: true });
  }

  #reshape(name) {
    this.shape = name;
    this.painting = this.painting.resized(...SHAPES[name]);
    this.#changed();
  }

  #at(event) {
    const { left, top, width, height } = this.canvas.getBoundingClientRect();
    return {
      x: ((event.clientX - left) / width) * this.painting.width,
      y: ((event.clientY - top) / height) * this.painting.height,
    };
  }

  get #paints() {
    return this.tool === "erase" ? ANYTHING : this.label;
  }

  #down(event) {
    if (event.button > 0) return;
    this.canvas.setPointerCapture(event.pointerId);
    this.painting.remember();
    let last = this.#at(event);
    this.#put(last);
    if (this.tool === "fill") return;
    const move = (moved) => {
      const here = this.#at(moved);
      this.painting.stroke(last, here, this.radius, this.#paints, this.mirrored);
      last = here;
      this.#changed();
    };
    const up = () => {
      this.canvas.removeEventListener("pointermove", move);
      this.canvas.removeEventListener("pointerup", up);
      this.canvas.removeEventListener("pointercancel", up);
    };
    this.canvas.addEventListener("pointermove", move);
    this.canvas.addEventListener("pointerup", up);
    this.canvas.addEventListener("pointercancel", up);
  }

  #put(at) {
    if (this.tool === "fill") this.painting.fill(at.x, at.y, this.#paints, this.mirrored);
    else this.painting.dab(at.x, at.y, this.radius, this.#paints, this.mirrored);
    this.#changed();
  }

  #key(event) {
    const moves = { ArrowLeft: [-2, 0], ArrowRight: [2, 0], ArrowUp: [0, -2], ArrowDown: [0, 2] };
    const { width, height } = this.painting;
    if (moves[event.key]) {
      const [right, down] = moves[event.key];
      this.caret.x = Math.min(Math.max(this.caret.x + right, 0), width - 1);
      this.caret.y = Math.min(Math.max(this.caret.y + down, 0), height - 1);
      this.#draw();
    } else if (event.key === " " || event.key === "Enter") {
      this.painting.remember();
      this.#put(this.caret);
    } else if (event.key === "z" && (event.ctrlKey || event.metaKey)) {
      if (this.painting.undo()) this.#changed();
    } else if (event.key === "Escape") this.toggle(false);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  #draw() {
    if (this.panel.hidden) return;
    const { width, height, cells } = this.painting;
    this.canvas.width = width;
    this.canvas.height = height;
    this.canvas.style.aspectRatio = `${width} / ${height}`;
    const picture = new ImageData(width, height);
    const pixels = new Uint32Array(picture.data.buffer);
    for (let i = 0; i < cells.length; i++) pixels[i] = cells[i] === ANYTHING ? 0 : this.colours[cells[i]];
    const context = this.canvas.getContext("2d");
    context.putImageData(picture, 0, 0);
    if (document.activeElement === this.canvas && this.canvas.matches(":focus-visible")) {
      context.strokeStyle = "#000";
      context.strokeRect(this.caret.x - 1.5, this.caret.y - 1.5, 4, 4);
      context.strokeStyle = "#fff";
      context.strokeRect(this.caret.x - 0.5, this.caret.y - 0.5, 2, 2);
    }
    this.told.textContent = this.painting.isEmpty
      ? "Choose a class, and paint where it should be. What is left open may be anything."
      : "Photos are ordered by how they are laid out.";
  }

  #changed() {
    this.#draw();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#send(), SEND_MS);
  }

  async #send() {
    this.giveUp?.abort();
    this.giveUp = new AbortController();
    const { painting } = this;
    if (painting.isEmpty) return state.set({ sketch: "", mirrored: "" }, { replace: true });
    try {
      const { width, height } = painting;
      const { token } = await api.sketch({ width, height, classes: painting.rows() }, this.giveUp.signal);
      this.#keep(token);
      this.sent = token;
      const changes = { sketch: token, similar: "", by: "", mirrored: this.mirrored ? "1" : "", photo: "" };
      state.set(changes, { replace: Boolean(state.now.sketch) });
    } catch (error) {
      tellOf(error);
    }
  }

  /** Paintings of this tab, so that back, forward and reload bring them again. */
  #kept() {
    try {
      return JSON.parse(sessionStorage.getItem(KEPT) ?? "[]");
    } catch {
      return [];
    }
  }

  #keep(token) {
    const others = this.#kept().filter((each) => each.token !== token);
    const one = { token, shape: this.shape, cells: btoa(String.fromCharCode(...this.painting.cells)) };
    try {
      sessionStorage.setItem(KEPT, JSON.stringify([one, ...others].slice(0, MOST_KEPT)));
    } catch {
      // storage may be full or forbidden; only coming back to a painting needs it
    }
  }

  /** Shows the painting that the address asks for, as after going back; none where it asks for none. */
  #asked(token) {
    if (token) {
      this.#restore(token);
      if (this.panel.hidden) this.toggle(true, false);
      return;
    }
    this.sent = "";
    if (this.panel.hidden || this.painting.isEmpty) return; // a closed painting waits for its next opening
    this.painting = new Painting(...SHAPES[this.shape]);
    this.#draw();
  }

  #restore(token) {
    if (token === this.sent) return;
    this.sent = token;
    const kept = this.#kept().find((each) => each.token === token);
    this.mirrored = Boolean(state.now.mirrored);
    if (kept) this.#become(kept.shape, Uint8Array.from(atob(kept.cells), (c) => c.charCodeAt(0)));
    else this.#fetch(token);
    this.#drawTools();
    this.#draw();
  }

  #become(shape, cells) {
    this.shape = shape;
    this.painting = new Painting(...SHAPES[shape]);
    this.painting.cells.set(cells);
  }

  /** A painting of another tab, or of an address that somebody kept. */
  async #fetch(token) {
    try {
      const { width, height, classes } = await api.sketched(token);
      const shape = Object.keys(SHAPES).find((name) => `${SHAPES[name]}` === `${[width, height]}`);
      if (this.sent !== token || !shape) return;
      this.#become(
        shape,
        classes.flat().map((id) => id ?? ANYTHING),
      );
      this.#drawTools();
      this.#draw();
    } catch {
      // where it is not kept any more, the answer to the query says so
    }
  }
}

export const paint = new Paint();
