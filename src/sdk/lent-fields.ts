import type { FieldSource } from "./header-fields.ts";

/** The fields of a received head for as long as it lies there. Whoever keeps them longer gets what they are closed with. */
export class LentFields implements FieldSource {
  #source: FieldSource;

  constructor(source: FieldSource) {
    this.#source = source;
  }

  get(lowerName: string): string | undefined {
    return this.#source.get(lowerName);
  }

  values(lowerName: string): readonly string[] {
    return this.#source.values(lowerName);
  }

  names(): Iterable<string> {
    return this.#source.names();
  }

  close(source: FieldSource): void {
    this.#source = source;
  }
}
