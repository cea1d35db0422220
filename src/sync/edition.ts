import type { Delta } from "../config/delta.ts";
import type { EditionRules, LeftOut } from "../config/edition-rules.ts";
import { type Resource, type ResourceRef, resourceKey } from "../config/resource.ts";
import { changeSnapshot, createSnapshot, type Snapshot } from "../config/snapshot.ts";
import { DeltaHistory, isSameStamp, type Step } from "./delta-history.ts";
import { Publication, type PublicationSource } from "./publication.ts";

/** A configuration for the fleet. */
export interface FleetSource extends Omit<PublicationSource, "since" | "leftOut" | "obstacle"> {
  /** What made it of an older version of its epoch; left out where that is not known. */
  readonly change?: { readonly fromVersion: number; readonly delta: Delta } | undefined;
}

/** Whether programs go without what they do not know and is not needed for protection, or without the version. */
export type Lenience = "leaves out" | "withholds";

const MAX_NAMED = 3;

/**
 * The configuration as programs of one kind know it, version by version. Its state has a hash of its own, which a node proves as any
 * other. A change is translated alone, at a cost that does not grow with the configuration.
 */
export class Edition {
  readonly #rules: EditionRules | undefined;
  readonly #lenience: Lenience;
  readonly #history = new DeltaHistory();
  /** What is not in the snapshot, by resource. */
  #leftOut = new Map<string, readonly LeftOut[]>();
  #snapshot: Snapshot | undefined;
  #newest: Publication | undefined;

  /** @param rules undefined for programs that know everything */
  constructor(rules: EditionRules | undefined, lenience: Lenience) {
    this.#rules = rules;
    this.#lenience = lenience;
  }

  get newest(): Publication | undefined {
    return this.#newest;
  }

  publish({ change, ...source }: FleetSource): void {
    const before = this.#newest?.stamp;
    const { snapshot, delta } = this.#translate(source.snapshot, change);
    const leftOut = [...this.#leftOut.values()].flat();
    const publication: Publication = new Publication({
      ...{ ...source, snapshot, leftOut, obstacle: this.#obstacle(leftOut, snapshot) },
      since: (base) => this.#history.between(base, publication.stamp),
    });
    if (delta !== undefined && before !== undefined)
      this.#history.record({ base: before, target: publication.stamp, delta });
    else this.#history.forget();
    this.#snapshot = snapshot;
    this.#newest = publication;
  }

  /** What led to the newest version in an earlier life of the control plane; oldest first. */
  remember(steps: readonly Step[]): void {
    const newest = this.#newest?.stamp;
    if (newest === undefined || !isSameStamp(newest, steps.at(-1)?.target)) return;
    for (const step of steps) this.#history.record(step);
  }

  #translate(whole: Snapshot, change: FleetSource["change"]): { snapshot: Snapshot; delta: Delta | undefined } {
    const before = this.#snapshot;
    const builds = before?.epoch === whole.epoch && change?.fromVersion === before.version;
    if (this.#rules === undefined) return { snapshot: whole, delta: builds ? change.delta : undefined };
    if (builds) return changeSnapshot(before, whole.version, this.#translateDelta(this.#rules, change.delta));
    this.#leftOut = new Map();
    const { epoch, version } = whole;
    const resources = this.#known(this.#rules, whole.resources);
    return { snapshot: createSnapshot({ epoch, version, resources }), delta: undefined };
  }

  /** What the programs know nothing of is, to them, removed. */
  #translateDelta(rules: EditionRules, { upserts, removals }: Delta): Delta {
    for (const removal of removals) this.#leftOut.delete(resourceKey(removal));
    const known = this.#known(rules, upserts);
    const keys = new Set(known.map(resourceKey));
    const unknown: ResourceRef[] = upserts.filter((resource) => !keys.has(resourceKey(resource)));
    return { upserts: known, removals: [...removals, ...unknown] };
  }

  #known(rules: EditionRules, resources: readonly Resource[]): Resource[] {
    return resources.flatMap((resource) => {
      const { resource: known, leftOut } = rules.read(resource);
      if (leftOut.length > 0) this.#leftOut.set(resourceKey(resource), leftOut);
      else this.#leftOut.delete(resourceKey(resource));
      return known ?? [];
    });
  }

  #obstacle(leftOut: readonly LeftOut[], { version }: Snapshot): string {
    const needed = this.#lenience === "withholds" ? leftOut : leftOut.filter(({ guards }) => guards);
    if (needed.length === 0) return "";
    const named = needed.slice(0, MAX_NAMED).map(({ kind, id, path, reason }) => {
      const place = path === "" ? `${kind}:${id}` : `${path} of ${kind}:${id}`;
      return `${place} (${reason})`;
    });
    const more = needed.length > MAX_NAMED ? ` and ${needed.length - MAX_NAMED} more` : "";
    return `version ${version} cannot be run without ${named.join(", ")}${more}`;
  }
}
