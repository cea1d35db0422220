import { z } from "zod";

/** A setting as a schema describes it: a path to a value that is no mapping of further settings. */
export interface SchemaLeaf {
  readonly steps: readonly string[];
  /** As declared, with its default. */
  readonly schema: z.ZodType;
  /** How its value is written as text. */
  readonly form: "text" | "number" | "flag" | "list" | "labels" | "number or text";
  /** What holds when nothing is written, as a person would write it; undefined when there is no default. */
  readonly defaultValue: unknown;
}

/** Walks a schema of nested mappings in the order of its keys. */
export function* schemaLeaves(schema: z.ZodType, steps: readonly string[] = []): Generator<SchemaLeaf> {
  const bare = unwrap(schema);
  if (bare instanceof z.ZodObject) {
    for (const [key, child] of Object.entries(bare.shape)) yield* schemaLeaves(child as z.ZodType, [...steps, key]);
  } else {
    yield { steps, schema, form: formOf(bare), defaultValue: defaultOf(schema) };
  }
}

/** The schema without defaults and transformations: what is written. */
export function unwrap(schema: z.ZodType): z.ZodType {
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault || schema instanceof z.ZodOptional)
    return unwrap(schema.def.innerType as z.ZodType);
  if (schema instanceof z.ZodPipe) return unwrap(schema.def.in as z.ZodType);
  return fullAlternative(schema) ?? schema;
}

/** Of a union of mappings the last, which has every setting: the others are short forms of it. */
function fullAlternative(schema: z.ZodType): z.ZodType | undefined {
  const options = schema instanceof z.ZodUnion ? (schema.def.options as readonly z.ZodType[]) : [];
  return options.every((option) => option instanceof z.ZodObject) ? options.at(-1) : undefined;
}

/** The default as a person would write it. */
export function defaultOf(schema: z.ZodType): unknown {
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault) return schema.def.defaultValue;
  if (schema instanceof z.ZodOptional) return defaultOf(schema.def.innerType as z.ZodType);
  return schema instanceof z.ZodPipe ? defaultOf(schema.def.in as z.ZodType) : undefined;
}

function formOf(bare: z.ZodType): SchemaLeaf["form"] {
  if (bare instanceof z.ZodNumber) return "number";
  if (bare instanceof z.ZodBoolean) return "flag";
  if (bare instanceof z.ZodArray) return "list";
  if (bare instanceof z.ZodRecord) return "labels";
  if (!(bare instanceof z.ZodUnion)) return "text";
  const forms = bare.def.options.map((option) => formOf(unwrap(option as z.ZodType)));
  if (forms.includes("list")) return "list";
  return forms.includes("number") ? "number or text" : "text";
}
