import type { Feature, Subject } from "./subject.ts";
import type { Variant, Workload } from "./workload.ts";

/** What runs are made of: a subject, in one of the variants of the workload. */
export interface Lane {
  readonly name: string;
  readonly subject: Subject;
  readonly variant: Variant;
  /** The name of the lane that it is divided by; its own when it is the baseline of others. */
  readonly baseline: string;
}

export interface Missing {
  readonly subject: string;
  readonly features: readonly Feature[];
}

const ONLY: Variant = { name: "" };

/** The lanes of a workload, and who is left out for what. The last subject that takes part is the baseline. */
export function planLanes(
  { requires, variants }: Pick<Workload, "requires" | "variants">,
  subjects: readonly Subject[],
): { readonly lanes: readonly Lane[]; readonly missing: readonly Missing[] } {
  const missing = subjects.flatMap(({ name, features }) => {
    const lacks = requires.filter((feature) => !features.includes(feature));
    return lacks.length === 0 ? [] : [{ subject: name, features: lacks }];
  });
  const able = subjects.filter(({ name }) => missing.every(({ subject }) => subject !== name));
  const lanes = able.flatMap((subject) => {
    if (variants === undefined) return [{ name: subject.name, subject, variant: ONLY, baseline: able.at(-1)!.name }];
    const baseline = laneName(subject, variants[0]);
    return variants.map((variant) => ({ name: laneName(subject, variant), subject, variant, baseline }));
  });
  return { lanes, missing };
}

function laneName(subject: Subject, variant: Variant): string {
  return `${subject.name}, ${variant.name}`;
}
