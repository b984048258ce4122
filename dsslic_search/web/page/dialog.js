// Small dialogs: a heading, something to fill in or to read, closed with Escape.

import { button, byId, el } from "./dom.js";

/** Opens a dialog with some content; resolves when it is closed. `wide` for what needs room. */
export function openDialog(heading, content, { wide = false } = {}) {
  const dialog = el(
    "dialog",
    { class: wide ? "dialog wide" : "dialog", "aria-label": heading },
    el(
      "header",
      { class: "panel-head" },
      el("h2", {}, heading),
      button("close", "Close", () => dialog.close()),
    ),
    el("div", { class: "dialog-body" }, content),
  );
  document.body.append(dialog);
  dialog.showModal();
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  dialog.addEventListener("keydown", (event) => event.stopPropagation());
  return Object.assign(
    new Promise((resolve) =>
      dialog.addEventListener("close", () => {
        if (dialog.contains(byId("notices"))) document.body.append(byId("notices"));
        dialog.remove();
        resolve();
      }),
    ),
    { dialog },
  );
}

/** Asks for a line of text; resolves to it, or to null. */
export async function askText(heading, label, { value = "", action = "Save", hint = "" } = {}) {
  let told = null;
  const field = el("input", { type: "text", value, required: true, "aria-label": label, placeholder: label });
  const form = el(
    "form",
    {
      class: "ask",
      onsubmit: (event) => (event.preventDefault(), (told = field.value.trim()), opened.dialog.close()),
    },
    field,
    el("button", { type: "submit", class: "button strong" }, action),
    hint && el("p", { class: "muted" }, hint),
  );
  const opened = openDialog(heading, form);
  field.select();
  await opened;
  return told || null;
}

/**
 * A button that opens a list of things to do; `items` are [label, run or href] and may be made when it opens.
 */
export function menuButton(name, label, items, options = {}) {
  const list = el("ul", { class: "menu", role: "menu", hidden: true });
  const opener = button(name, label, () => (list.hidden ? open() : close()), {
    "aria-haspopup": "menu",
    "aria-expanded": "false",
    ...options,
  });
  const holder = el("div", { class: "menu-holder" }, opener, list);
  const outside = (event) => !holder.contains(event.target) && close();
  function close() {
    list.hidden = true;
    opener.setAttribute("aria-expanded", "false");
    document.removeEventListener("pointerdown", outside);
  }
  function open() {
    const all = typeof items === "function" ? items() : items;
    list.replaceChildren(
      ...all.map(([text, run]) => {
        const item =
          typeof run === "string"
            ? el("a", { role: "menuitem", href: run, tabindex: "-1", download: "", onclick: close }, text)
            : el(
                "button",
                {
                  role: "menuitem",
                  type: "button",
                  tabindex: "-1",
                  onclick: () => (close(), opener.focus(), run()),
                },
                text,
              );
        return el("li", { role: "none" }, item);
      }),
    );
    list.hidden = false;
    list.classList.toggle("leftwards", holder.getBoundingClientRect().left > innerWidth / 2);
    list.classList.toggle("upwards", holder.getBoundingClientRect().top > innerHeight / 2);
    opener.setAttribute("aria-expanded", "true");
    list.querySelector("[role=menuitem]")?.focus();
    document.addEventListener("pointerdown", outside);
  }
  holder.addEventListener("keydown", (event) => {
    if (list.hidden) return;
    const all = [...list.querySelectorAll("[role=menuitem]")];
    const at = all.indexOf(document.activeElement);
    if (event.key === "ArrowDown") all[(at + 1) % all.length].focus();
    else if (event.key === "ArrowUp") all[(at - 1 + all.length) % all.length].focus();
    else if (event.key === "Escape") (close(), opener.focus());
    else if (event.key === "Tab") return close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  return holder;
}
