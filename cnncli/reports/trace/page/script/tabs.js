// Which filter and which channel is seen: one row of tabs for each block, for all of its panels at once.

import { el } from "./dom.js";
import { leadingGroups } from "./views.js";

/** The groups that have more than one index: {group, count, name}. */
function findGroups(page) {
  const groups = new Map();
  for (const tensor of page.chain.tensors.values()) {
    for (const [axis, group] of leadingGroups(tensor).entries()) {
      const name = group === 0 ? "channel of X" : group === "outputs" ? "class" : `filter of block ${group}`;
      if (tensor.shape[axis] > 1) groups.set(group, { group, count: tensor.shape[axis], name });
    }
  }
  return [...groups.values()].sort((a, b) => String(a.group).localeCompare(String(b.group)));
}

export class Tabs {
  constructor(page) {
    this.page = page;
    this.rows = findGroups(page).map(({ group, count, name }) => {
      const buttons = Array.from({ length: count }, (_, at) =>
        el("button", { type: "button", role: "radio", onclick: () => this.choose(group, at) }, group === "outputs" ? page.data.classes[at] : String(at)),
      );
      const move = (event) => this.press(event, group, buttons);
      const row = el("div", { class: "tabs", role: "radiogroup", "aria-label": name, onkeydown: move }, el("span", {}, name), ...buttons);
      return { group, buttons, row };
    });
    this.photo = el("input", { type: "checkbox", onchange: () => page.showPhoto(this.photo.checked) });
    this.photo.checked = page.photo;
    const photo = page.data.normalisation ? el("label", { class: "photo" }, this.photo, "X as the photo") : null;
    this.element = el("div", { class: "tab-rows" }, photo, ...this.rows.map(({ row }) => row));
  }

  choose(group, at) {
    if (group === 0) this.page.showPhoto(false);
    this.page.choice.choose(group, at);
  }

  press(event, group, buttons) {
    const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    const at = (this.page.choice.at(group) + by + buttons.length) % buttons.length;
    this.choose(group, at);
    buttons[at].focus();
  }

  update() {
    this.photo.checked = this.page.photo;
    for (const { group, buttons } of this.rows) {
      for (const [at, button] of buttons.entries()) {
        const chosen = at === this.page.choice.at(group);
        button.setAttribute("aria-checked", chosen);
        button.setAttribute("tabindex", chosen ? 0 : -1);
      }
    }
  }
}
