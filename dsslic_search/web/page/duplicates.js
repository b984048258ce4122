// Photos that show the same picture, side by side, to keep one of each.

import { api, stageUrl } from "./api.js";
import { openDialog } from "./dialog.js";
import { button, el } from "./dom.js";
import { notify, tellOf } from "./notice.js";
import { state } from "./state.js";
import { wait } from "./time.js";
import { bytes, count, number, sentence } from "./words.js";

const ASK_MS = 600;
const SHOWN_AT_ONCE = 40;

/** Opens the list; `changed()` is called when photos went to the bin. */
export async function showDuplicates(archive, changed) {
  const body = el("div", { class: "duplicates", "aria-live": "polite" });
  const opened = openDialog("Duplicates", body, { wide: true });
  let isOpen = true;
  opened.then(() => (isOpen = false));
  body.append(
    el("p", { class: "muted" }, "Looking for photos that show the same picture …"),
    el("progress", {}),
  );
  try {
    await api.findDuplicates();
    for (;;) {
      const answer = await api.duplicates();
      if (!isOpen) return;
      if (answer.state === "failed")
        throw new Error(answer.error?.sentence ?? "The search ended early; try again.");
      if (answer.state === "done") return draw(answer.groups);
      const { done, total } = answer.progress;
      if (total) Object.assign(body.querySelector("progress"), { max: total, value: done });
      await wait(ASK_MS);
    }
  } catch (error) {
    body.replaceChildren(el("p", { class: "error" }, error.message));
  }

  function draw(groups, shown = SHOWN_AT_ONCE) {
    if (!groups.length) {
      return body.replaceChildren(
        el(
          "div",
          { class: "empty" },
          el("h2", {}, "No duplicates"),
          el("p", {}, "Each photo shows a picture of its own."),
        ),
      );
    }
    const beside = groups.reduce((sum, group) => sum + group.photos.length - 1, 0);
    body.replaceChildren(
      el(
        "p",
        { class: "muted" },
        `${count(groups.length, "group")}, ${count(beside, "photo")} beside the ones to keep.`,
      ),
      ...groups.slice(0, shown).map((group) => drawn(group)),
    );
    if (groups.length > shown) {
      const more = () => draw(groups, shown + SHOWN_AT_ONCE);
      body.append(el("button", { type: "button", class: "button", onclick: more }, "More"));
    }
  }

  function drawn(group) {
    const figures = group.photos.map((photo) => {
      const isKept = photo.id === group.keep;
      return el(
        "figure",
        { class: isKept ? "copy kept" : "copy" },
        el(
          "a",
          {
            href: state.hrefWith({ photo: String(photo.id) }),
            onclick: (event) => {
              event.preventDefault();
              opened.dialog.close();
              state.set({ photo: String(photo.id) });
            },
          },
          el("img", {
            src: stageUrl(photo, "full", { size: 640 }),
            alt: photo.name ?? photo.path,
            loading: "lazy",
          }),
        ),
        el(
          "figcaption",
          {},
          el("strong", { title: photo.path }, photo.name ?? photo.path),
          el(
            "span",
            { class: "muted" },
            [photo.width && `${number(photo.width)} × ${number(photo.height)}`, bytes(photo.bytes)]
              .filter(Boolean)
              .join(", "),
          ),
          isKept && el("span", { class: "why" }, sentence(group.why)),
          !archive.readOnly && button("check", "Keep this one", () => keep(photo), { shown: true }),
        ),
      );
    });
    const section = el(
      "section",
      { class: "copies" },
      el("div", { class: "copies-row" }, figures),
      el(
        "div",
        { class: "row" },
        el("button", { type: "button", class: "link", onclick: () => section.remove() }, "Keep all of these"),
      ),
    );
    async function keep(photo) {
      const others = group.photos.map(({ id }) => id).filter((id) => id !== photo.id);
      try {
        await api.bin(others);
        section.remove();
        changed();
        notify(`${count(others.length, "photo")} went to the bin.`, {
          action: {
            label: "Bring back",
            run: async () => {
              try {
                await api.restore(others);
                changed();
              } catch (error) {
                tellOf(error);
              }
            },
          },
        });
      } catch (error) {
        tellOf(error);
      }
    }
    return section;
  }
}
