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

/** The schema and those that it wraps or chooses among: whatever may speak of the same value. */
export function* schemaLayers(schema: z.ZodType): Generator<z.ZodType> {
  yield schema;
  for (const inner of wrapped(schema)) yield* schemaLayers(inner as z.ZodType);
}

/** What schemas of values that are themselves mappings or lists wrap. */
function wrapped(schema: z.ZodType): readonly unknown[] {
  if (schema instanceof z.ZodUnion) return schema.def.options;
  if (schema instanceof z.ZodIntersection) return [schema.def.left, schema.def.right];
  if (schema instanceof z.ZodPipe) return [schema.def.in];
  if (schema instanceof z.ZodLazy) return [schema.def.getter()];
  return "innerType" in schema.def ? [schema.def.innerType] : [];
}

/** What a schema says of the value under a key. */
export function schemaOfKey(layer: z.ZodType, key: string): z.ZodType | undefined {
  if (layer instanceof z.ZodRecord) return layer.def.valueType as z.ZodType;
  if (!(layer instanceof z.ZodObject)) return undefined;
  return Object.hasOwn(layer.shape, key) ? layer.shape[key] : catchallOf(layer);
}

/** What a schema says of what is in a list. */
export function schemasOfItems(layer: z.ZodType): readonly z.ZodType[] {
  if (layer instanceof z.ZodArray) return [layer.def.element as z.ZodType];
  if (!(layer instanceof z.ZodTuple)) return [];
  const { items, rest } = layer.def;
  return [...items, ...(rest === null ? [] : [rest])] as z.ZodType[];
}

/** Whatever a schema says of the values inside. */
export function schemasWithin(layer: z.ZodType): readonly z.ZodType[] {
  if (layer instanceof z.ZodRecord) return [layer.def.valueType as z.ZodType];
  if (!(layer instanceof z.ZodObject)) return schemasOfItems(layer);
  const others = catchallOf(layer);
  return [...Object.values<z.ZodType>(layer.shape), ...(others === undefined ? [] : [others])];
}

/** Of keys that are not named; undefined where there may be none. */
function catchallOf({ def: { catchall } }: z.ZodObject): z.ZodType | undefined {
  return catchall === undefined || catchall instanceof z.ZodNever ? undefined : (catchall as z.ZodType);
}
