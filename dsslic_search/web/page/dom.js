// Elements, made in one line. Text is always set as text, never read as markup: names of files may hold
// anything.

import { ICONS } from "./icons.js";

const SVG = "http://www.w3.org/2000/svg";

function apply(element, options) {
  for (const [name, value] of Object.entries(options)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "class") element.setAttribute("class", value);
    else if (name === "data") Object.assign(element.dataset, value);
    else if (name in element && typeof value !== "string") element[name] = value;
    else if (name === "value") element.value = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
}

/** An element with attributes (or properties, `on…` listeners, `data`, `css`) and children, nodes or text. */
export function el(tag, options = {}, ...children) {
  const element = document.createElement(tag);
  apply(element, options);
  element.append(
    ...children.flat().filter((child) => child !== null && child !== undefined && child !== false),
  );
  return element;
}

/** One of the page's icons: a line drawing that takes the colour of the text, and says nothing by itself. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  const path = document.createElementNS(SVG, "path");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

/** A button with an icon; `label` is what it says, shown or not. */
export function button(name, label, onclick, options = {}) {
  const { shown = false, ...rest } = options;
  return el(
    "button",
    {
      type: "button",
      class: shown ? "button" : "button quiet",
      title: shown ? null : label,
      onclick,
      ...rest,
    },
    icon(name),
    el("span", { class: shown ? "label" : "unseen" }, label),
  );
}

/** An SVG element with attributes. */
export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

/** The element of that id. */
export function byId(id) {
  return document.getElementById(id);
}
