// What is known of a photo, beside it: what it shows and how surely, words, colours, metadata, layers; tags
// and rating to edit.

import { api, fileUrl, originalUrl, stageUrl } from "./api.js";
import { button, el, icon } from "./dom.js";
import { tellOf } from "./notice.js";
import { state } from "./state.js";
import { bytes, count, date, number, percent, tagNames } from "./words.js";

const STARS = 5;
const LEAST_SHARE = 0.001;
const FACTS = [
  ["camera", "Camera"],
  ["lens", "Lens"],
  ["iso", "ISO"],
  ["focal_length", "Focal length", (mm) => `${mm} mm`],
  ["exposure", "Exposure", (s) => (s < 0.4 ? `1/${Math.round(1 / s)} s` : `${s} s`)],
  ["f_number", "Aperture", (f) => `f/${f}`],
  ["title", "Title"],
  ["description", "Description"],
  ["keywords", "Keywords"],
  ["people", "People"],
  ["format", "Format"],
  ["profile", "Colour profile"],
  ["bit_depth", "Bits a colour"],
];

function section(title, ...children) {
  const shown = children.flat().filter(Boolean);
  return shown.length ? el("section", { class: "fact-group" }, el("h3", {}, title), ...shown) : null;
}

function bar(name, share, told, colour, q) {
  const fill = el("span", { class: "bar-fill" });
  fill.style.width = `${Math.max(100 * share, 0.6)}%`;
  if (colour) fill.style.background = colour;
  return el(
    "li",
    { class: "bar" },
    el("a", { class: "bar-name", href: `?${new URLSearchParams({ q })}`, data: { q }, title: name }, name),
    el("span", { class: "bar-line" }, fill),
    el("span", { class: "bar-told" }, told),
  );
}

/** The rating as five stars to press; the one that is set takes the rating away. */
export function ratingControl(photo, rated, isReadOnly) {
  const now = Math.round(photo.rating ?? 0);
  const star = (n) =>
    el(
      "button",
      {
        type: "button",
        class: n <= now ? "star on" : "star",
        data: { keep: `star ${n}` },
        disabled: isReadOnly,
        "aria-label": n === now ? `${count(n, "star")}; press to take it away` : count(n, "star"),
        "aria-pressed": String(n === now),
        onclick: () => rated(n === now ? 0 : n),
      },
      icon("star"),
    );
  return el(
    "div",
    { class: "stars", role: "group", "aria-label": "Rating" },
    Array.from({ length: STARS }, (_, i) => star(i + 1)),
  );
}

function tagControl(photo, changed, isReadOnly) {
  const field = el("input", {
    type: "text",
    placeholder: "Add a tag",
    data: { keep: "tag" },
    "aria-label": "Add a tag",
    autocapitalize: "off",
  });
  const add = (event) => {
    event.preventDefault();
    const names = tagNames(field.value);
    if (names.length) changed(names, []);
  };
  return [
    el(
      "ul",
      { class: "chips" },
      photo.tags.map((tag) =>
        el(
          "li",
          { class: "chip part" },
          el("span", {}, tag),
          !isReadOnly &&
            el(
              "button",
              {
                type: "button",
                data: { keep: "untag" },
                "aria-label": `Take away the tag ${tag}`,
                onclick: () => changed([], [tag]),
              },
              icon("close"),
            ),
        ),
      ),
    ),
    !isReadOnly && el("form", { class: "tag-form", onsubmit: add }, field),
  ];
}

function factRows(details) {
  const { facts = {} } = details;
  const rows = [];
  const add = (title, value) => {
    if (value === null || value === undefined || value === "" || value?.length === 0) return;
    rows.push(el("dt", {}, title), el("dd", {}, Array.isArray(value) ? value.join(", ") : String(value)));
  };
  add("Taken", date(details.taken));
  add("Size", details.width && `${number(details.width)} × ${number(details.height)}`);
  add("Original", bytes(details.bytes));
  add("In the archive", `${bytes(details.stored)}, kept as ${details.keep}`);
  for (const [name, title, told = (value) => value] of FACTS) {
    const value = facts[name];
    if (value !== null && value !== undefined) add(title, Array.isArray(value) ? value : told(value));
  }
  const { latitude, longitude } = facts;
  if (typeof latitude === "number") add("Place", `${latitude.toFixed(4)}, ${longitude.toFixed(4)}`);
  for (const path of details.paths) add("Path", path);
  add("SHA-256", details.hash);
  return el("dl", { class: "fact-list" }, rows);
}

function layerTable(layers) {
  const body = layers.map((layer) =>
    el(
      "tr",
      {},
      el("th", { scope: "row" }, layer.name),
      el("td", {}, bytes(layer.bytes)),
      el("td", {}, layer.bitsPerPixel === null ? "" : layer.bitsPerPixel.toFixed(3)),
    ),
  );
  return el(
    "table",
    { class: "layers" },
    el(
      "thead",
      {},
      el(
        "tr",
        {},
        el("th", { scope: "col" }, "Layer"),
        el("th", { scope: "col" }, "Bytes"),
        el("th", { scope: "col" }, "Bits a pixel"),
      ),
    ),
    el("tbody", {}, body),
  );
}

function downloads(details) {
  const link = (href, text) => el("a", { class: "chip", href, download: "" }, icon("download"), text);
  const holdsOriginal =
    details.keep === "exact" || details.keep === "reference" || details.keep === "undecoded";
  return el(
    "div",
    { class: "row downloads" },
    ["map", "compact", "coarse", "full"]
      .filter((stage) => details.stages[stage])
      .map((stage) => link(stageUrl(details, stage, { format: "png", download: true }), stage)),
    holdsOriginal && link(originalUrl(details.id), "original"),
    link(fileUrl(details.id), ".dsslic"),
  );
}

function likeThis(details) {
  const ask = (by, text) =>
    button("like", text, () => state.search({ similar: String(details.id), by }), { shown: true });
  return el("div", { class: "row" }, ask("", "Both"), ask("layout", "Layout"), ask("look", "Look"));
}

/** That a photo lies in the bin, and the way back. */
function inBin(details, broughtBack, isReadOnly) {
  if (details.facts?.state !== "removed") return null;
  const restore = async () => {
    try {
      await api.restore([details.id]);
      broughtBack();
    } catch (error) {
      tellOf(error);
    }
  };
  return el(
    "div",
    { class: "row in-bin" },
    el("strong", {}, "In the bin"),
    !isReadOnly && button("restore", "Bring back", restore, { shown: true }),
  );
}

/**
 * All of it for one photo. `changed(details)` is called when a tag or rating became another, `broughtBack()`
 * when it lies in the bin no longer.
 */
export function factsOf(details, { classes, isReadOnly, changed, broughtBack }) {
  const colours = new Map(classes.map(({ name, colour }) => [name, colour]));
  const seenOf = new Map();
  for (const region of details.regions) seenOf.set(region.class, (seenOf.get(region.class) ?? 0) + 1);
  const rate = async (rating) => {
    try {
      await api.rate([details.id], rating);
      changed({ ...details, rating: rating || null });
    } catch (error) {
      tellOf(error);
    }
  };
  const tag = async (add, remove) => {
    try {
      await api.tag([details.id], add, remove);
      const kept = details.tags.filter((name) => !remove.includes(name));
      changed({ ...details, tags: [...new Set([...kept, ...add])].sort() });
    } catch (error) {
      tellOf(error);
    }
  };
  const shown = details.coverage.filter(({ fraction }) => fraction >= LEAST_SHARE);
  return [
    inBin(details, broughtBack, isReadOnly),
    el(
      "div",
      { class: "fact-edit" },
      ratingControl(details, rate, isReadOnly),
      ...tagControl(details, tag, isReadOnly),
    ),
    section("More like this", likeThis(details)),
    section(
      "Shows",
      shown.length > 0 &&
        el(
          "ul",
          { class: "bars" },
          shown.map((each) => {
            const seen = seenOf.get(each.class);
            const sure = each.certainty === null ? "" : `, ${Math.round(each.certainty * 100)} % sure`;
            const line = bar(
              each.class,
              each.fraction,
              percent(each.fraction),
              colours.get(each.class),
              each.class,
            );
            const regions = seen ? `, ${count(seen, "region")}` : "";
            line.title = `${percent(each.fraction)} of the photo${sure}${regions}`;
            if (each.colours?.length || seen > 1) {
              const more = [seen > 1 && count(seen, "region"), ...(each.colours ?? [])]
                .filter(Boolean)
                .join(", ");
              line.append(el("span", { class: "bar-more" }, more));
            }
            return line;
          }),
        ),
      details.labelledBy === "people" && el("p", { class: "muted" }, "By people's label map"),
    ),
    section(
      "Words",
      details.words.length > 0 &&
        el(
          "ul",
          { class: "bars" },
          details.words.map(({ word, probability }) =>
            bar(
              word,
              probability,
              percent(probability),
              null,
              `word:${/\s/.test(word) ? `"${word}"` : word}`,
            ),
          ),
        ),
    ),
    section(
      "Colours",
      details.colours?.length > 0 &&
        el(
          "div",
          { class: "row" },
          details.colours.map((name) => {
            const q = `colour:${name}`;
            return el("a", { class: "chip", href: `?${new URLSearchParams({ q })}`, data: { q } }, name);
          }),
        ),
    ),
    section("File", factRows(details)),
    section("Layers", layerTable(details.layers)),
    section("Download", downloads(details)),
  ].filter(Boolean);
}
