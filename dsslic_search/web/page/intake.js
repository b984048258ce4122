// Files that are dropped on the page, or chosen: to search by one, without storing it, or to put them into
// the archive, with how far that is and why a file was skipped.

import { api, INGEST_EVENTS } from "./api.js";
import { button, byId, el } from "./dom.js";
import { tellOf } from "./notice.js";
import { state } from "./state.js";
import { count } from "./words.js";

const LEAST_SIDE = 8;

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
    window.addEventListener("paste", (event) => {
      const file = [...(event.clipboardData?.files ?? [])].find(({ type }) => type.startsWith("image/"));
      if (file) this.searchBy(file);
    });
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

  async #run(sentence, send) {
    if (this.archive.readOnly)
      return tellOf(new Error("This server changes nothing; it was started with --read-only."));
    this.#open(sentence);
    try {
      await this.#listen(); // first: events of before are not told again
      this.job = (await send()).job;
    } catch (error) {
      this.#end(error.message);
    }
  }

  #open(sentence) {
    this.stored = 0;
    this.told = el("p", { role: "status" }, sentence);
    this.bar = el("progress", { "aria-label": "Photos stored" });
    this.list = el("ul", { class: "skipped" });
    this.panel.hidden = false;
    this.panel.replaceChildren(
      el(
        "header",
        { class: "panel-head" },
        el("h2", {}, "Putting photos in"),
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
    this.source = new EventSource(INGEST_EVENTS);
    const on = (name, run) =>
      this.source.addEventListener(name, (event) => {
        const told = JSON.parse(event.data);
        if (this.job === null || told.job === this.job) run(told);
      });
    on("progress", (told) => this.#progress(told));
    on("stored", (told) => {
      this.stored++;
      this.#progress(told);
    });
    on("skipped", (told) => {
      this.list.append(el("li", {}, el("strong", {}, told.name), el("span", {}, told.reason)));
      this.#progress(told);
    });
    on("done", (told) => this.#end(summary(told), told.notes));
    on("failed", (told) => this.#end(told.sentence ?? told.reason ?? "It did not work out."));
    await new Promise((resolve, reject) => {
      this.source.addEventListener("open", resolve, { once: true });
      this.source.addEventListener("error", () =>
        reject(new Error("The server tells nothing of its progress.")),
      );
    });
  }

  #progress({ done, total, name, note }) {
    if (total) Object.assign(this.bar, { max: total, value: done });
    this.told.textContent = total
      ? `${done} of ${count(total, "file")}`
      : (note ?? name ?? this.told.textContent);
  }

  #end(sentence, notes = []) {
    this.source?.close();
    this.bar.remove();
    this.told.textContent = sentence;
    this.list.append(...notes.map((note) => el("li", {}, el("span", {}, note))));
    if (this.stored) this.changed();
  }
}

function summary({ added, updated, present, skipped }) {
  const parts = [`${count(added, "photo")} stored`];
  if (updated) parts.push(`${count(updated, "photo")} changed`);
  if (present) parts.push(`${present} already there`);
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
