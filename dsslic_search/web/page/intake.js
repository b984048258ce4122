// Files that are dropped on the page, or chosen: to search by one, without storing it, or to put them into
// the archive, with how far that is and why a file was skipped.

import { api, INGEST_EVENTS } from "./api.js";
import { button, byId, el } from "./dom.js";
import { notify, tellOf } from "./notice.js";
import { change } from "./own.js";
import { search } from "./search.js";
import { state } from "./state.js";
import { count, sentence } from "./words.js";

const LEAST_SIDE = 8;
const WATCHING = 0; // the job of the folders that the server watches

class Intake {
  /** `changed()` is called when photos have come. */
  start(archive, changed) {
    Object.assign(this, { archive, changed });
    this.veil = byId("drop");
    this.panel = byId("intake");
    this.depth = 0;
    window.addEventListener("dragenter", (event) => this.#drag(event, 1));
    window.addEventListener("dragleave", (event) => this.#drag(event, -1));
    window.addEventListener("dragover", (event) => this.#holdsFiles(event) && event.preventDefault());
    window.addEventListener("drop", (event) => this.#drop(event));
    window.addEventListener("paste", (event) => this.#paste(event));
    if (archive.watching) {
      this.#follow();
      document.addEventListener("visibilitychange", () => this.#follow());
    }
  }

  /**
   * Tells of what comes from the folders that the server watches, while the page is seen: each page that
   * listens holds a connection, of which browsers have few.
   */
  #follow() {
    this.watched?.close();
    if (document.visibilityState !== "visible") return;
    this.watched = new EventSource(INGEST_EVENTS);
    let skipped = [];
    const on = (name, run) =>
      this.watched.addEventListener(name, (event) => {
        const told = JSON.parse(event.data);
        if (told.job === WATCHING) run(told);
      });
    on("skipped", (told) => skipped.push(told));
    on("done", (told) => {
      const passedOver = skipped;
      skipped = [];
      const show = () => {
        this.changed();
        if (!passedOver.length && !told.notes.length) return;
        this.#open(summary(told), "From followed folders");
        for (const each of passedOver) this.#skipped(each);
        this.#end(summary(told), told.notes);
      };
      notify(`From followed folders: ${summary(told)}`, { action: { label: "Show", run: show } });
    });
    on("failed", ({ error }) => tellOf(new Error(sentence(error.sentence))));
  }

  /** A picture is searched by. Text goes where one types, or else into the search field. */
  #paste(event) {
    const isTyping = event.target.closest?.("input, textarea, dialog");
    const text = event.clipboardData?.getData("text/plain").trim() ?? "";
    const file = [...(event.clipboardData?.files ?? [])].find(({ type }) => type.startsWith("image/"));
    if (file && !(isTyping && text)) this.searchBy(file);
    else if (text && !isTyping) search.put(text);
    else return;
    event.preventDefault();
  }

  #holdsFiles(event) {
    return event.dataTransfer?.types.includes("Files");
  }

  #drag(event, change) {
    if (!this.#holdsFiles(event)) return;
    event.preventDefault();
    this.depth = Math.max(this.depth + change, 0);
    this.veil.hidden = this.depth === 0;
    const side = event.target.closest?.("[data-drop]");
    for (const each of this.veil.querySelectorAll("[data-drop]"))
      each.classList.toggle("over", each === side);
  }

  #drop(event) {
    if (!this.#holdsFiles(event)) return;
    event.preventDefault();
    this.depth = 0;
    this.veil.hidden = true;
    const files = [...event.dataTransfer.files];
    if (!files.length) return;
    const wants = event.target.closest?.("[data-drop]")?.dataset.drop;
    if (wants === "ingest" || (files.length > 1 && wants !== "search")) this.ingest(files);
    else this.searchBy(files[0]);
  }

  /** Opens the system's own choice of files. */
  choose({ several }) {
    const field = el("input", {
      type: "file",
      accept: "image/*,.dng,.cr2,.cr3,.nef,.arw,.raf,.heic",
      multiple: several,
    });
    field.addEventListener("change", () => {
      if (!field.files.length) return;
      if (several) this.ingest([...field.files]);
      else this.searchBy(field.files[0]);
    });
    field.click();
  }

  /** Photos like one that is not stored. */
  async searchBy(file) {
    try {
      const { token } = await api.similar(file);
      this.searched = { token, name: file.name, url: await thumbnail(file) };
      state.search({ similar: token });
    } catch (error) {
      tellOf(error);
    }
  }

  /** Stores files, and tells of each as it comes. */
  async ingest(files) {
    await this.#run(`Sending ${count(files.length, "file")} …`, () => api.ingest(files));
  }

  /** Looks through a folder that the archive follows for what came, went or changed. */
  async synchronise(folder) {
    await this.#run(`Looking through ${folder} …`, () => api.synchronise(folder));
  }

  async #run(begin, send) {
    if (this.archive.readOnly)
      return tellOf(new Error("This server changes nothing; it was started with --read-only."));
    this.over?.(); // of two, the page follows the later one
    this.#open(begin);
    await change(async () => {
      const over = new Promise((resolve) => (this.over = resolve));
      try {
        await this.#listen(); // first: events of before are not told again
        this.job = (await send()).job;
        for (const told of this.early.splice(0)) told();
      } catch (error) {
        this.#end(error.message);
      }
      await over;
    });
  }

  #open(begin, heading = "Putting photos in") {
    this.changes = 0;
    this.told = el("p", { role: "status" }, begin);
    this.bar = el("progress", { "aria-label": "Photos stored" });
    this.list = el("ul", { class: "skipped" });
    this.panel.hidden = false;
    this.panel.replaceChildren(
      el(
        "header",
        { class: "panel-head" },
        el("h2", {}, heading),
        button("close", "Close", () => (this.panel.hidden = true)),
      ),
      this.told,
      this.bar,
      this.list,
    );
  }

  async #listen() {
    this.source?.close();
    this.job = null;
    this.early = []; // what is told before the number of the job is known
    const source = (this.source = new EventSource(INGEST_EVENTS));
    const on = (name, run) =>
      source.addEventListener(name, (event) => {
        const told = JSON.parse(event.data);
        const tell = () => this.source === source && told.job === this.job && run(told);
        if (this.job === null) this.early.push(tell);
        else tell();
      });
    on("progress", (told) => this.#progress(told));
    on("stored", (told) => {
      this.changes++;
      this.#progress(told);
    });
    on("skipped", (told) => {
      this.#skipped(told);
      this.#progress(told);
    });
    on("done", (told) => {
      this.changes += told.updated + told.moved + told.missing;
      this.#end(summary(told), told.notes);
    });
    on("failed", ({ error }) => this.#end(sentence(error.sentence)));
    await new Promise((resolve, reject) => {
      this.source.addEventListener("open", resolve, { once: true });
      this.source.addEventListener("error", () =>
        reject(new Error("The server tells nothing of its progress.")),
      );
    });
  }

  #skipped({ name, reason }) {
    this.list.append(el("li", {}, el("strong", {}, name), el("span", {}, reason)));
  }

  #progress({ done, total, name, note }) {
    if (total) Object.assign(this.bar, { max: total, value: done });
    this.told.textContent = total
      ? `${done} of ${count(total, "file")}`
      : (note ?? name ?? this.told.textContent);
  }

  #end(told, notes = []) {
    this.source?.close();
    this.bar.remove();
    this.told.textContent = told;
    this.list.append(...notes.map((note) => el("li", {}, el("span", {}, note))));
    this.over?.();
    if (this.changes) this.changed();
  }
}

function summary({ added, updated, present, skipped, moved, missing }) {
  const parts = [`${count(added, "photo")} stored`];
  if (updated) parts.push(`${count(updated, "photo")} changed`);
  if (present) parts.push(`${present} already there`);
  if (moved) parts.push(`${moved} moved`);
  if (missing) parts.push(`${missing} gone from the folder`);
  if (skipped) parts.push(`${skipped} skipped`);
  return `${parts.join(", ")}.`;
}

/** A small picture of a file that the browser can show, as a data URL; "" for others. */
async function thumbnail(file) {
  try {
    const picture = await createImageBitmap(file);
    const scale = Math.min(96 / Math.max(picture.width, picture.height), 1);
    const canvas = el("canvas", {
      width: Math.max(Math.round(picture.width * scale), LEAST_SIDE),
      height: Math.max(Math.round(picture.height * scale), LEAST_SIDE),
    });
    canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
    return canvas.toDataURL("image/jpeg", 0.8);
  } catch {
    return "";
  }
}

export const intake = new Intake();
