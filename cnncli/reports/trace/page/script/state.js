// What was done to the numbers, what is looked at, and both in the URL's fragment, so that they can be sent.

import { compute } from "./chain.js";
import { factorOf, indexOf } from "./tensors.js";

/** Whether a person may change the entries of a tensor. */
export const canChange = (tensor) => tensor.role === "image" || tensor.kind === "parameter";

/** The values after some deeds: {set: tensor, i, to}, {label}, {descend: η}. */
function after(chain, given, deeds, passes) {
  const now = Object.fromEntries(Object.entries(given).map(([name, values]) => [name, values.slice()]));
  let v = compute(chain, now);
  for (const deed of deeds) {
    if (deed.set) now[deed.set.name][deed.i] = deed.to;
    else if (deed.label !== undefined) now.y[0] = deed.label;
    else {
      for (const tensor of chain.tensors.values()) {
        if (tensor.kind !== "parameter") continue;
        const gradient = v[tensor.gradient.name];
        now[tensor.name] = now[tensor.name].map((w, i) => w - deed.descend * gradient[i]);
      }
    }
    v = compute(chain, Object.fromEntries(Object.entries(now).map(([name, values]) => [name, values.slice()])));
    passes?.push(v[chain.output.loss.name][0]);
  }
  return v;
}

/** The numbers of the page. `python` are the recorded ones; as long as nothing is changed they are what is shown. */
export class State {
  constructor(chain, python) {
    this.chain = chain;
    this.python = python;
    this.given = {};
    for (const tensor of chain.tensors.values()) {
      if (canChange(tensor) || tensor.role === "label") this.given[tensor.name] = python[tensor.name];
    }
    this.base = chain.unknown.length ? python : compute(chain, this.given);
    this.deeds = [];
    this.undone = [];
    this.listeners = [];
    this.work();
  }

  /** Work out `v` (computed) and `shown`: Python's own number wherever nothing changed. */
  work() {
    this.losses = [this.python[this.chain.output.loss.name][0]];
    this.v = this.deeds.length ? after(this.chain, this.given, this.deeds, this.losses) : this.base;
    this.shown = this.deeds.length ? this.mixed() : this.python;
  }

  mixed() {
    const mixed = {};
    for (const [name, now] of Object.entries(this.v)) {
      mixed[name] = now.map((value, i) => (Object.is(value, this.base[name][i]) ? this.python[name][i] : value));
    }
    return mixed;
  }

  /** What an entry's number differs by from that of the start. */
  change(tensor, i) {
    const [now, then] = [this.v[tensor.name][i], this.base[tensor.name][i]];
    return Object.is(now, then) || now === then ? 0 : now - then;
  }

  do(deed) {
    this.undone = [];
    const last = this.deeds.at(-1);
    if (deed.set && last?.set === deed.set && last.i === deed.i) this.deeds.pop(); // a slide is one deed
    this.deeds.push(deed);
    this.tell();
  }

  undo() {
    if (this.deeds.length) this.undone.push(this.deeds.pop());
    this.tell();
  }

  redo() {
    if (this.undone.length) this.deeds.push(this.undone.pop());
    this.tell();
  }

  reset() {
    this.undone = [...this.deeds].reverse();
    this.deeds = [];
    this.tell();
  }

  tell() {
    this.work();
    for (const listener of this.listeners) listener();
  }
}

/** The deeds as text: "X.0.1.2=5;y=0;descend=0.1". */
export function writeDeeds(deeds) {
  return deeds
    .map((deed) => {
      if (deed.set) return `${factorOf(deed.set, deed.i).label.replace(/[[,]/g, ".").replace("]", "")}=${deed.to}`;
      return deed.label !== undefined ? `y=${deed.label}` : `descend=${deed.descend}`;
    })
    .join(";");
}

/** The deeds of a text; what does not fit this chain is left out. */
export function readDeeds(chain, text) {
  return text.split(";").flatMap((part) => {
    const [what, value] = part.split("=");
    const number = Number(value);
    if (!value || !Number.isFinite(number)) return [];
    if (what === "descend") return [{ descend: number }];
    const [name, ...place] = what.split(".");
    const tensor = chain.tensors.get(name);
    if (tensor?.role === "label") return [{ label: number }];
    const entry = tensor && canChange(tensor) ? findEntry(tensor, place.map(Number)) : null;
    return entry === null ? [] : [{ set: tensor, i: entry, to: number }];
  });
}

function findEntry(tensor, place) {
  if (!place.length && tensor.size === 1) return 0;
  const fits = place.length === tensor.shape.length && place.every((each, axis) => Number.isInteger(each) && each >= 0 && each < tensor.shape[axis]);
  return fits ? indexOf(tensor.shape, place) : null;
}

/** The entry that a label names, "dL/dw1[0,0,1,2]": {tensor, i}, or null. */
export function readEntry(chain, label) {
  const [, name, place] = /^([^[]+)(?:\[([\d,]*)\])?$/.exec(label) ?? [];
  const tensor = chain.tensors.get(name);
  const i = tensor ? findEntry(tensor, place ? place.split(",").map(Number) : []) : null;
  return i === null ? null : { tensor, i };
}
