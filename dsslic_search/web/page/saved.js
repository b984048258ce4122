// Queries that were given a name: to ask again, to save the one of now, to forget.

import { api } from "./api.js";
import { askText, openDialog } from "./dialog.js";
import { button, el } from "./dom.js";
import { notify, tellOf } from "./notice.js";
import { state } from "./state.js";

export async function saveQuery() {
  const { q } = state.now;
  if (!q.trim()) return notify("There is no query to save: what stands in the search field is saved.");
  const hint = `In any query, @name will stand for: ${q}`;
  const told = await askText("Save this query", "Name", { hint });
  if (!told) return;
  const name = told.replace(/\s+/g, "-"); // a name is one word
  const save = async (replace) => {
    try {
      const saved = await api.save(name, q, replace);
      notify(`Saved. Ask for @${saved.name} at any time.`);
    } catch (error) {
      if (error.status !== 409) return tellOf(error);
      notify(`There is a saved query “${name}” already.`, {
        action: { label: "Replace it", run: () => save(true) },
      });
    }
  };
  await save(false);
}

export async function showSaved(isReadOnly) {
  const list = el("ul", { class: "saved" });
  const opened = openDialog(
    "Saved queries",
    [
      list,
      !isReadOnly &&
        button("save", "Save the query of now", () => (opened.dialog.close(), saveQuery()), { shown: true }),
    ].filter(Boolean),
  );
  const draw = async () => {
    let all;
    try {
      all = Object.entries(await api.saved());
    } catch (error) {
      return tellOf(error);
    }
    if (!all.length)
      list.replaceChildren(
        el("li", { class: "muted" }, "None yet. A saved query stands for its text in any other."),
      );
    else list.replaceChildren(...all.map(([name, text]) => line(name, text)));
  };
  const line = (name, text) =>
    el(
      "li",
      {},
      el(
        "button",
        {
          type: "button",
          class: "saved-query",
          onclick: () => (opened.dialog.close(), state.search({ q: `@${name}` })),
        },
        el("strong", {}, name),
        el("span", { class: "muted" }, text),
      ),
      !isReadOnly &&
        button("bin", `Forget ${name}`, async () => {
          try {
            await api.forget(name);
            await draw();
          } catch (error) {
            tellOf(error);
          }
        }),
    );
  await draw();
}
