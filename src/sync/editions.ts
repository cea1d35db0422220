import { EditionRules, type Program } from "../config/edition-rules.ts";
import type { Language } from "../config/language.ts";
import type { Step } from "./delta-history.ts";
import { Edition, type FleetSource, type Lenience } from "./edition.ts";
import type { Hello } from "./messages.ts";
import { SNAPSHOT_CAPABILITY } from "./messages.ts";
import type { Publication } from "./publication.ts";
import { majorMinor } from "./version-gate.ts";

/** A fleet has few kinds of programs at a time. Of more, the one that was asked for longest ago is made anew when it is asked for again. */
const MAX_EDITIONS = 16;

/** The configuration in the editions that the fleet needs: one for each kind of program, and made once for all nodes of a kind. */
export class Editions {
  readonly #language: Language | undefined;
  readonly #lenience: Lenience;
  /** For programs that know everything. */
  readonly #whole: Edition;
  /** By kind of program, the one asked for last at the end. */
  readonly #others = new Map<string, Edition>();
  readonly #keys = new WeakMap<Hello, string>();
  #source: FleetSource | undefined;

  /** @param language of the configuration; undefined takes every program for one that knows everything */
  constructor(language: Language | undefined, lenience: Lenience) {
    this.#language = language;
    this.#lenience = lenience;
    this.#whole = new Edition(undefined, lenience);
  }

  /** As it was committed. */
  get newest(): Publication | undefined {
    return this.#whole.newest;
  }

  publish(source: FleetSource): void {
    this.#source = source;
    this.#whole.publish(source);
    for (const edition of new Set(this.#others.values())) if (edition !== this.#whole) edition.publish(source);
  }

  /** For programs that know everything; those that do not are sent a whole first. */
  remember(steps: readonly Step[]): void {
    this.#whole.remember(steps);
  }

  /** The newest configuration for a node that said this. An original data plane is told everything, in its own language. */
  newestFor(hello: Hello): Publication | undefined {
    if (this.#language === undefined || !hello.capabilities.includes(SNAPSHOT_CAPABILITY)) return this.newest;
    const key = this.#keyOf(hello);
    const edition = this.#others.get(key) ?? this.#create(this.#language, hello);
    this.#others.delete(key);
    this.#others.set(key, edition);
    if (this.#others.size > MAX_EDITIONS) this.#others.delete(this.#others.keys().next().value!);
    return edition.newest;
  }

  #create(language: Language, { version, plugins }: Program): Edition {
    const rules = new EditionRules(language, { version, plugins });
    if (rules.isWhole) return this.#whole;
    const edition = new Edition(rules, this.#lenience);
    if (this.#source !== undefined) edition.publish({ ...this.#source, change: undefined });
    return edition;
  }

  #keyOf(hello: Hello): string {
    const known = this.#keys.get(hello);
    if (known !== undefined) return known;
    const plugins = Object.entries(hello.plugins).sort(([a], [b]) => (a < b ? -1 : 1));
    const key = JSON.stringify([majorMinor(hello.version), ...plugins]);
    this.#keys.set(hello, key);
    return key;
  }
}
