// What is looked at: the entry that is pointed at for a moment, the one that stays, and the way back to earlier ones.

const same = (a, b) => a?.tensor === b?.tensor && a?.i === b?.i;

export class Look {
  constructor(choice) {
    this.choice = choice;
    this.at = null; // stays
    this.over = null; // for as long as it is pointed at
    this.trail = [];
    this.path = null; // the entries of a path that is pointed at
    this.listeners = [];
  }

  get entry() {
    return this.over ?? this.at;
  }

  point(entry) {
    if (same(this.over, entry)) return;
    this.over = entry;
    this.tell();
  }

  rest() {
    this.path = null;
    if (!this.over) return;
    this.over = null;
    this.tell();
  }

  /** The keyboard came to an entry: it stays, but is no step of the way. */
  focus(entry) {
    if (same(this.at, entry) && !this.over) return;
    this.over = null;
    this.at = entry;
    this.tell();
  }

  /** Go to an entry, from which `back` leads here. */
  go(entry) {
    if (this.came && !same(this.came, entry)) this.trail.push(this.came);
    this.came = entry;
    this.over = null;
    this.at = entry;
    this.choice.show(entry.tensor, entry.i);
    this.tell();
  }

  back() {
    const entry = this.trail.pop();
    if (!entry) return;
    this.came = null;
    this.go(entry);
  }

  follow(path) {
    this.path = path;
    this.tell();
  }

  tell() {
    for (const listener of this.listeners) listener();
  }
}
