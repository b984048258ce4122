// The page: its parts started and joined.

import { api } from "./api.js";
import { detail } from "./detail.js";
import { menuButton } from "./dialog.js";
import { button, byId, el } from "./dom.js";
import { showDuplicates } from "./duplicates.js";
import { facets } from "./facets.js";
import { emptyState, Grid } from "./grid.js";
import { intake } from "./intake.js";
import { showKeys, startKeys } from "./keys.js";
import { startLikeness } from "./likeness.js";
import { notify, say } from "./notice.js";
import { startOrder } from "./order.js";
import { change, unlessChanging } from "./own.js";
import { paint } from "./paint.js";
import { places } from "./places.js";
import { Results } from "./results.js";
import { saveQuery, showSaved } from "./saved.js";
import { search } from "./search.js";
import { selection } from "./select.js";
import { asksTheSame, state } from "./state.js";
import { nextTheme, startTheme } from "./theme.js";
import { timeline } from "./timeline.js";
import { bytes, count, sentence } from "./words.js";

startTheme();

const gallery = {
  results: null,
  grid: null,
  answered: null, // a promise of when what is asked for last is answered, or refused

  focus(place) {
    this.grid.focus(place);
  },

  /** Tells tiles what became another in their photos. */
  changed(ids, change) {
    this.results?.update(ids, change);
    for (const tile of this.grid) if (ids.includes(tile.photo.id)) tile.tell();
    facets.update();
    lookAgain(); // tags and ratings are no change of its photos: what is one was made elsewhere
  },

  /** Asks again, after photos came or went. */
  async again() {
    await change(async () => {
      archive = await api.archive().catch(() => archive); // first: what changes from now on will be told
    });
    await show();
    tellArchive();
  },
};

let archive;

function tellArchive() {
  byId("archive-name").textContent = archive.name;
  byId("archive-size").textContent = `${count(archive.photos, "photo")}, ${bytes(archive.bytes)}`;
}

/** Says so when another page, or a command, changed the archive while this page was not looked at. */
async function lookAgain() {
  if (document.visibilityState !== "visible") return;
  const now = await unlessChanging(api.archive).catch(() => null); // what is asked next will tell
  if (now) gallery.grid?.again();
  if (!now || now.generation === archive.generation) return;
  archive = now;
  tellArchive();
  notify("The archive has changed meanwhile.", { action: { label: "Show", run: () => show() } });
}

async function show() {
  const results = new Results(state.asked, lookAgain);
  const main = byId("photos");
  main.setAttribute("aria-busy", "true");
  byId("state").replaceChildren();
  facets.await();
  const shown = gallery.grid.show(results, state.seen);
  gallery.answered = shown.catch(() => null);
  try {
    await shown;
  } catch (error) {
    if (error.name === "AbortError") return;
    gallery.grid.clear();
    gallery.grid.results = gallery.results = null;
    facets.update();
    return showMistake(error);
  } finally {
    main.removeAttribute("aria-busy");
  }
  gallery.results = results;
  gallery.grid.photosFirst().then(() => results === gallery.results && facets.update());
  selection.clear();
  tellTotal(results);
}

async function tellTotal(results) {
  const isAll = Object.values(results.asked).every((value) => !value);
  const found = el("span", { class: "found" }, results.asked.q ? " found" : "");
  byId("total").replaceChildren(count(results.total, "photo"), found);
  byId("warnings").replaceChildren(...results.warnings.map((text) => el("p", {}, sentence(text))));
  say(`${count(results.total, "photo")} found`);
  if (results.total) return;
  await search.pending; // its chips say what could be taken away
  if (gallery.results !== results) return;
  byId("state").replaceChildren(archive.photos === 0 && isAll ? nothingYet() : nothingFound());
}

function nothingYet() {
  return emptyState(
    "No photos yet",
    archive.readOnly
      ? "This archive is empty, and this server changes nothing."
      : "Drop photos anywhere on this page, or choose some. They are found by what they show.",
    archive.readOnly
      ? ""
      : button("upload", "Choose photos", () => intake.choose({ several: true }), { shown: true }),
  );
}

function nothingFound() {
  const chips = search.reading?.chips ?? [];
  const fewer = chips.length > 1 ? chips : [];
  return emptyState(
    "Nothing like that here",
    fewer.length
      ? "No photo meets all of this. Take a part away:"
      : "No photo meets this. Try another word, or see all.",
    ...fewer.map((chip) =>
      el(
        "button",
        { type: "button", class: "chip", onclick: () => search.refine(chip.without) },
        `without “${chip.text}”`,
      ),
    ),
    el("button", { type: "button", class: "button", onclick: () => state.search({}) }, "All photos"),
  );
}

function showMistake(error) {
  byId("total").textContent = "";
  const again = el(
    "button",
    { type: "button", class: "button", onclick: () => (archive ? show() : location.reload()) },
    "Try again",
  );
  const all = el(
    "button",
    { type: "button", class: "button", onclick: () => state.search({}) },
    "All photos",
  );
  const isQuery = error.status === 400;
  const isMarked = isQuery && error.start !== null;
  const said = isMarked ? "Mend what is underlined in the field above, or see all photos." : error.message;
  const isFinal = isQuery || error.status === 404; // to ask the same again is of no use
  byId("state").replaceChildren(
    emptyState(isQuery ? "This cannot be read" : "That did not work", said, isFinal ? all : again),
  );
}

function startHeader() {
  const writes = !archive.readOnly;
  const duplicates = () => showDuplicates(archive, () => gallery.again());
  byId("tools").append(
    button("brush", "Paint a layout", () => paint.toggle(), {
      id: "paint-toggle",
      "aria-expanded": "false",
      "aria-controls": "paint",
    }),
    button("globe", "Map of places", () => places.toggle(), {
      id: "places-toggle",
      "aria-expanded": "false",
      "aria-controls": "places",
      hidden: true,
    }),
    menuButton("more", "More", () => [
      ...(writes ? [["Put photos in …", () => intake.choose({ several: true })]] : []),
      ["Search by a photo …", () => intake.choose({ several: false })],
      ...(writes ? archive.folders : []).map((folder) => [
        `Look through ${folder.split("/").filter(Boolean).at(-1) ?? folder}`,
        () => intake.synchronise(folder),
      ]),
      ["Saved queries", () => showSaved(archive.readOnly)],
      ...(writes && state.now.q ? [["Save this query …", saveQuery]] : []),
      ["Duplicates", duplicates],
      ["The bin", () => state.search({ q: "is:removed" })],
      [
        "Dark or light",
        () => notify(`Colours: ${{ system: "as the system", light: "light", dark: "dark" }[nextTheme()]}`),
      ],
      ["Keys", showKeys],
    ]),
  );
  byId("filter-toggle").addEventListener("click", () => {
    const isOpen = document.documentElement.classList.toggle("rail-open");
    byId("filter-toggle").setAttribute("aria-expanded", String(isOpen));
    if (isOpen) byId("rail").querySelector("button")?.focus();
  });
  byId("rail-close").addEventListener("click", () => byId("filter-toggle").click());
  byId("home").addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    state.search({});
  });
}

async function start() {
  try {
    archive = await api.archive();
  } catch (error) {
    document.documentElement.classList.add("ready");
    return showMistake(error);
  }
  tellArchive();
  document.title = archive.name;
  startHeader();
  timeline.start();
  places.start();
  facets.start(archive.classes);
  startOrder();
  gallery.grid = new Grid(byId("scroller"), byId("photos"), {
    classes: archive.classes,
    onError: (error) => notify(error.message, { isMistake: true }),
    onRest: (place) => state.sees(place),
  });
  selection.start(archive, gallery.grid, gallery);
  paint.start(archive.classes);
  intake.start(archive, () => gallery.again());
  startLikeness();
  search.start(() => gallery.answered);
  detail.start(archive, gallery);
  state.listen((now, before) => {
    if (!asksTheSame(now, before)) show();
    if (!now.photo) document.title = now.q ? `${now.q} · ${archive.name}` : archive.name;
  });
  startKeys({
    "/": () => search.focus(),
    p: () => paint.toggle(),
    m: () => places.toggle(),
    g: () => gallery.focus(gallery.grid.focused),
  });
  document.addEventListener("visibilitychange", lookAgain);
  window.addEventListener("focus", lookAgain); // a terminal beside the browser hides no page
  document.documentElement.classList.add("ready");
  await show();
  if (state.now.photo) await detail.show();
}

start();
