// Where photos were taken: an outline of land that ships with the page, and a dot for each place. No tiles
// from anywhere.

import { button, byId, el, svg } from "./dom.js";
import { tellOf } from "./notice.js";
import { search } from "./search.js";
import { count } from "./words.js";

const LEAST_SPAN = 0.05; // degrees of longitude across the map, when nearest
const FITTED_SPAN = 12; // at least, at first: so that a coast is in sight of most places
const PLACE = /^(?:near|within) -?[\d.]+,/; // a part of a query that another place replaces

function pathOf({ steps, rings }) {
  return rings
    .map((ring) => {
      let x = 0;
      let y = 0;
      let text = "";
      for (let i = 0; i < ring.length; i += 2) {
        x += ring[i];
        y += ring[i + 1];
        text += `${i ? "L" : "M"}${x / steps} ${-y / steps}`;
      }
      return `${text}Z`;
    })
    .join("");
}

class Places {
  start() {
    this.panel = byId("places");
    this.land = svg("path", { class: "land" });
    this.dots = svg("g", { class: "dots" });
    this.map = svg(
      "svg",
      { class: "map", role: "group", "aria-label": "Map of places", preserveAspectRatio: "xMidYMid slice" },
      this.land,
      this.dots,
    );
    this.told = el("p", { class: "muted", "aria-live": "polite" });
    this.panel.append(
      el(
        "header",
        { class: "panel-head" },
        el("h2", {}, "Places"),
        button("close", "Close the map", () => this.toggle(false)),
      ),
      this.map,
      el(
        "div",
        { class: "row map-tools" },
        this.told,
        el("button", { type: "button", class: "button", onclick: () => this.#zoom(0.5) }, "Nearer"),
        el("button", { type: "button", class: "button", onclick: () => this.#zoom(2) }, "Farther"),
        el("button", { type: "button", class: "button", onclick: () => this.#fit() }, "All"),
      ),
    );
    this.spots = [];
    this.view = { x: 0, y: 0, span: 360 };
    this.map.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    this.map.addEventListener("pointerdown", (event) => this.#down(event));
    this.map.addEventListener("keydown", (event) => this.#key(event));
    new ResizeObserver(() => this.#draw()).observe(this.map);
  }

  /** Opens or closes the map. */
  async toggle(isOpen = this.panel.hidden) {
    this.panel.hidden = !isOpen;
    byId("places-toggle").setAttribute("aria-expanded", String(isOpen));
    if (!isOpen) return byId("places-toggle").focus();
    if (!this.land.hasAttribute("d")) {
      try {
        const outline = await fetch(new URL("./land.json", import.meta.url));
        this.land.setAttribute("d", pathOf(await outline.json()));
      } catch (error) {
        tellOf(error);
      }
    }
    this.#fit();
    this.panel.querySelector("button").focus();
  }

  show(spots) {
    this.spots = spots;
    byId("places-toggle").hidden = !spots.length && this.panel.hidden;
    const photos = spots.reduce((sum, spot) => sum + spot[2], 0);
    this.told.textContent = spots.length
      ? `${count(photos, "photo")} with a place`
      : "None of these has a place";
    if (!this.panel.hidden) this.#fit();
  }

  #fit() {
    if (!this.spots.length) this.view = { x: 0, y: -20, span: 360 };
    else {
      const lons = this.spots.map(([, lon]) => lon);
      const lats = this.spots.map(([lat]) => lat);
      const [west, east] = [Math.min(...lons), Math.max(...lons)];
      const [south, north] = [Math.min(...lats), Math.max(...lats)];
      const span = Math.max((east - west) * 1.25, (north - south) * 1.4 * this.#aspect(), FITTED_SPAN);
      this.view = { x: (west + east) / 2, y: -(south + north) / 2, span: Math.min(span, 480) };
    }
    this.#draw();
  }

  #aspect() {
    const { width, height } = this.map.getBoundingClientRect();
    return width && height ? width / height : 2;
  }

  #zoom(factor, at = this.view) {
    const span = Math.min(Math.max(this.view.span * factor, LEAST_SPAN), 480);
    const moved = 1 - span / this.view.span;
    this.view = {
      x: this.view.x + (at.x - this.view.x) * moved,
      y: this.view.y + (at.y - this.view.y) * moved,
      span,
    };
    this.#draw();
  }

  #draw() {
    const { width } = this.map.getBoundingClientRect();
    if (!width) return;
    const { x, y, span } = this.view;
    const high = span / this.#aspect();
    this.map.setAttribute("viewBox", `${x - span / 2} ${y - high / 2} ${span} ${high}`);
    const pixel = span / width;
    const most = Math.max(...this.spots.map((spot) => spot[2]), 1);
    const byCount = [...this.spots].sort((a, b) => b[2] - a[2]);
    this.dots.replaceChildren(...byCount.map((spot) => this.#dot(spot, pixel, most)));
  }

  #dot([lat, lon, photos, , part], pixel, most) {
    const radius = (4 + 8 * Math.sqrt(photos / most)) * pixel;
    const label = `${count(photos, "photo")} near ${lat.toFixed(2)}°, ${lon.toFixed(2)}°`;
    const dot = svg("circle", {
      cx: lon,
      cy: -lat,
      r: radius,
      tabindex: 0,
      role: "button",
      "aria-label": label,
    });
    dot.append(svg("title", {}, label));
    dot.addEventListener("click", () => search.add(part, (text) => PLACE.test(text)));
    return dot;
  }

  #positionOf(event) {
    const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(
      this.map.getScreenCTM().inverse(),
    );
    return { x: point.x, y: point.y };
  }

  #wheel(event) {
    event.preventDefault();
    this.#zoom(1.0015 ** event.deltaY, this.#positionOf(event));
  }

  #down(event) {
    if (event.target.closest("circle")) return;
    const start = this.#positionOf(event);
    const move = (moved) => {
      const here = this.#positionOf(moved);
      this.view.x -= here.x - start.x;
      this.view.y -= here.y - start.y;
      this.#draw();
    };
    const up = () => {
      window.removeEventListener("pointermove", move);
      window.removeEventListener("pointerup", up);
    };
    window.addEventListener("pointermove", move);
    window.addEventListener("pointerup", up);
  }

  #key(event) {
    const step = this.view.span / 8;
    const moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] };
    if (event.target.closest("circle") && (event.key === "Enter" || event.key === " ")) {
      event.preventDefault();
      event.target.dispatchEvent(new MouseEvent("click", { bubbles: true }));
    } else if (event.key === "+" || event.key === "=") this.#zoom(0.5);
    else if (event.key === "-") this.#zoom(2);
    else if (event.key === "Escape") this.toggle(false);
    else if (moves[event.key]) {
      event.preventDefault();
      this.view.x += moves[event.key][0];
      this.view.y += moves[event.key][1];
      this.#draw();
    }
  }
}

export const places = new Places();
