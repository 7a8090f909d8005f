// Names of labels in their order, which gives each its colour and its number key.

export class Names {
  #names;

  constructor(names, limits) {
    this.#names = [...names];
    this.limits = limits;
  }

  get all() {
    return this.#names;
  }

  index(name) {
    return this.#names.indexOf(name);
  }

  /**
   * A typed name as it is kept, added to the names if it is new; one that differs from another in case only is that one.
   * @throws Error if it cannot be a name
   */
  take(typed) {
    const name = typed.normalize("NFC").replace(/[\p{C}\u200b\u200e\u200f\u2060]/gu, "").trim();
    const fold = (text) => text.normalize("NFKC").toLowerCase();
    if (!name) throw new Error("A label needs a name.");
    if (fold(name) === "unlabelled") throw new Error("“unlabelled” means no label; Delete removes one.");
    if ([...name].length > this.limits.name) throw new Error(`A name has ${this.limits.name} characters at most.`);
    const known = this.#names.find((each) => each === name) ?? this.#names.find((each) => fold(each) === fold(name));
    if (known !== undefined) return known;
    if (this.#names.length >= this.limits.names) throw new Error(`There are ${this.limits.names} labels already.`);
    this.#names.push(name);
    return name;
  }
}
