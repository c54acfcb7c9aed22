// What was done to the numbers, what is looked at, and both in the URL's fragment, so that they can be sent.

import { compute } from "./chain.js";
import { factorOf, indexOf } from "./tensors.js";

/** Whether a person may change the entries of a tensor. */
export const canChange = (tensor) => tensor.role === "image" || tensor.kind === "parameter";

/** The values after a deed: {set: tensor, i, to}, {label}, {descend: η}. */
function after(chain, v, deed) {
  const given = {};
  for (const { name, kind, gradient } of chain.tensors.values()) {
    if (kind !== "input" && kind !== "parameter") continue;
    const steps = deed.descend !== undefined && kind === "parameter";
    given[name] = steps ? v[name].map((w, i) => w - deed.descend * v[gradient.name][i]) : v[name].slice();
  }
  if (deed.set) given[deed.set.name][deed.i] = deed.to;
  if (deed.label !== undefined) given.y[0] = deed.label;
  return compute(chain, given);
}

/** The numbers of the page. `python` are the recorded ones; as long as nothing is changed they are what is shown. */
export class State {
  constructor(chain, python) {
    this.chain = chain;
    this.python = python;
    this.base = chain.unknown.length ? python : compute(chain, python);
    this.restore([]);
    this.listeners = [];
  }

  /** All deeds anew. */
  restore(deeds) {
    this.deeds = [];
    this.passes = [this.base]; // the values at the start and after each deed
    this.undone = [];
    for (const deed of deeds) this.add(deed);
    this.show();
  }

  add(deed) {
    this.deeds.push(deed);
    this.passes.push(after(this.chain, this.passes.at(-1), deed));
  }

  drop() {
    this.passes.pop();
    return this.deeds.pop();
  }

  /** `v` is what was computed last; `shown` has Python's own number wherever nothing changed. */
  show() {
    this.v = this.passes.at(-1);
    this.shown = this.deeds.length ? this.mixed() : this.python;
  }

  /** L at the start and after each deed. */
  get losses() {
    return this.passes.map((v) => v[this.chain.output.loss.name][0]);
  }

  mixed() {
    const mixed = {};
    for (const [name, now] of Object.entries(this.v)) {
      const [base, python] = [this.base[name], this.python[name]];
      mixed[name] = now.map((value, i) => (Object.is(value, base[i]) ? python[i] : value));
    }
    return mixed;
  }

  /** What an entry's number differs by from that of the start. */
  change(tensor, i) {
    const [now, then] = [this.v[tensor.name][i], this.base[tensor.name][i]];
    return Object.is(now, then) || now === then ? 0 : now - then;
  }

  do(deed) {
    const last = this.deeds.at(-1);
    if (deed.set && last?.set === deed.set && last.i === deed.i) this.drop(); // a slide is one deed
    this.add(deed);
    this.undone = [];
    this.tell();
  }

  undo() {
    if (this.deeds.length) this.undone.push(this.drop());
    this.tell();
  }

  redo() {
    if (this.undone.length) this.add(this.undone.pop());
    this.tell();
  }

  reset() {
    while (this.deeds.length) this.undone.push(this.drop());
    this.tell();
  }

  tell() {
    this.show();
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
