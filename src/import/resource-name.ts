/** Gives names of elsewhere the shape of ours, each to one thing only. */
export class ResourceNames {
  readonly #taken = new Set<string>();

  /** `Orders API` becomes `Orders-API`, a second one `Orders-API-2`. */
  take(wanted: string): string {
    const base = nameLike(wanted);
    for (let number = 1; ; number += 1) {
      const name = number === 1 ? base : `${base}-${number}`;
      if (this.#taken.has(name)) continue;
      this.#taken.add(name);
      return name;
    }
  }
}

function nameLike(text: string): string {
  const name = text
    .normalize("NFKD")
    .replace(/[^A-Za-z0-9._-]+/g, "-")
    .replace(/^[^A-Za-z0-9]+/, "")
    .slice(0, 120)
    .replace(/[^A-Za-z0-9]+$/, "");
  return name === "" ? "unnamed" : name;
}
