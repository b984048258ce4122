// Above the photos: what they are like, when they were asked for by a photo or a painting.

import { stageUrl } from "./api.js";
import { byId, button, el } from "./dom.js";
import { intake } from "./intake.js";
import { state } from "./state.js";

const WAYS = [
  ["", "Layout and look"],
  ["layout", "Layout"],
  ["look", "Look"],
];

export function startLikeness() {
  state.listen(draw);
  draw();
}

function subject(similar) {
  if (/^\d+$/.test(similar)) {
    const src = stageUrl({ id: Number(similar), version: null }, "compact");
    return [el("img", { src, alt: "" }), el("span", {}, `Like photo #${similar}`)];
  }
  const { searched } = intake;
  if (searched?.token !== similar) return [el("span", {}, "Like the photo that was sent")];
  return [searched.url && el("img", { src: searched.url, alt: "" }), el("span", {}, `Like ${searched.name}`)];
}

function draw() {
  const { similar, by, mirrored } = state.now;
  const bar = byId("likeness");
  bar.hidden = !similar;
  if (!similar) return bar.replaceChildren();
  const way = ([value, label]) =>
    el(
      "button",
      {
        type: "button",
        class: "button",
        "aria-pressed": String(by === value),
        onclick: () => state.set({ by: value, photo: "" }, { replace: true }),
      },
      label,
    );
  bar.replaceChildren(
    el("div", { class: "likeness-subject" }, subject(similar)),
    el("div", { class: "choice", role: "group", "aria-label": "Like it by" }, WAYS.map(way)),
    button(
      "mirror",
      "Mirror images too",
      () => state.set({ mirrored: mirrored ? "" : "1" }, { replace: true }),
      {
        "aria-pressed": String(Boolean(mirrored)),
      },
    ),
    button("close", "No longer by likeness", () => state.set({ similar: "", by: "", mirrored: "" })),
  );
}
