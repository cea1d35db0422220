import { z } from "zod";
import type { JsonObject } from "./json.ts";
import { identifier } from "./resources/scalars.ts";

/** How a key at the top of a document holds the resources of a kind. */
export interface Section {
  readonly key: string;
  readonly kind: string;
  /** A list of items with an `id`, or a mapping from ids to specs. */
  readonly form: "list" | "mapping";
  /** What a person writes of one, without its id. */
  readonly spec: z.ZodObject;
  readonly description: string;
  /** One with its id, for reference pages. */
  readonly example?: JsonObject;
}

/** Under which key a document holds the resources of a kind. */
export function sectionKey(kind: string): string {
  return `${kind}s`;
}

/** An item of a list as it stands in a document. */
export function itemSchema({ kind, spec }: Section): z.ZodObject {
  return spec.safeExtend({ id: identifier.describe(`Stable name, unique among ${kind}s.`) });
}

export function sectionSchema(section: Section): z.ZodType {
  const { form, spec, description } = section;
  const schema = form === "list" ? z.array(itemSchema(section)).default([]) : z.record(identifier, spec).default({});
  return schema.describe(description);
}
