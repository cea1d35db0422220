import { z } from "zod";
import { secrecyOf } from "../../sdk/secret.ts";

/** A JSON Schema of draft 2020-12, which is the dialect of OpenAPI 3.1. */
export type JsonSchema = Readonly<Record<string, unknown>>;

const COMPONENTS = "#/components/schemas/";

/** Schemas as JSON Schema, of what is written and shown: before defaults. Those with a name are written down once and referred to. */
export class SchemaBook {
  readonly #names: ReadonlyMap<z.ZodType, string>;
  readonly #components: Record<string, JsonSchema> = {};
  #nameless = 0;

  constructor(named: Readonly<Record<string, z.ZodType>>) {
    this.#names = new Map(Object.entries(named).map(([name, schema]) => [schema, name]));
    for (const [name, schema] of Object.entries(named)) this.#components[name] = this.#convert(schema, name);
  }

  of(schema: z.ZodType): JsonSchema {
    const name = this.#names.get(schema);
    if (name !== undefined) return reference(name);
    this.#nameless += 1;
    return this.#convert(schema, `Nameless${this.#nameless}`);
  }

  get components(): Readonly<Record<string, JsonSchema>> {
    return this.#components;
  }

  #convert(schema: z.ZodType, name: string): JsonSchema {
    const {
      $schema: _,
      $defs = {},
      ...json
    } = z.toJSONSchema(schema, {
      io: "input",
      unrepresentable: "any",
      override: ({ zodSchema, jsonSchema }) => this.#replace(zodSchema as unknown as z.ZodType, schema, jsonSchema),
    });
    // Schemas that contain themselves come with definitions, which only the document as a whole can hold.
    for (const [key, definition] of Object.entries($defs))
      this.#components[`${name}${key}`] = movedTo(name, definition as JsonSchema);
    return movedTo(name, json);
  }

  /** A secret may be shown as the marker, which has not its form. */
  #replace(schema: z.ZodType, root: z.ZodType, json: Record<string, unknown>): void {
    const name = schema === root ? undefined : this.#names.get(schema);
    if (name !== undefined) rewrite(json, reference(name));
    else if (secrecyOf(schema) !== undefined) rewrite(json, { type: "string", ...described(json), "x-secret": true });
  }
}

function reference(name: string): JsonSchema {
  return { $ref: `${COMPONENTS}${name}` };
}

function described({ description }: JsonSchema): JsonSchema {
  return description === undefined ? {} : { description };
}

function rewrite(json: Record<string, unknown>, to: JsonSchema): void {
  for (const key of Object.keys(json)) delete json[key];
  Object.assign(json, to);
}

function movedTo(name: string, json: JsonSchema): JsonSchema {
  return JSON.parse(JSON.stringify(json).replaceAll('"#/$defs/', `"${COMPONENTS}${name}`)) as JsonSchema;
}
