import { z } from "zod";
import type { JsonObject } from "../config/json.ts";
import type { Language } from "../config/language.ts";
import type { Resource } from "../config/resource.ts";
import { identifier } from "../config/resources/scalars.ts";

/** A list of resources as the API offers it. All are derived from the language, so that a new kind is there by itself. */
export interface Collection {
  /** `routes`, as in `/api/v1/routes`. */
  readonly name: string;
  readonly kind: string;
  readonly description: string;
  /** What is written of an item besides its id. */
  readonly item: z.ZodType;
  /** An item with its id, as it is shown and sent. */
  readonly resource: z.ZodType;
  readonly example: JsonObject | undefined;
  /** Whether people choose the ids; else they are the names of blocks. */
  readonly isNamedByPeople: boolean;
  holds(resource: Pick<Resource, "kind" | "id">): boolean;
  /** The schema of the item of this id; undefined when there can be none. */
  schemaOf(id: string): z.ZodType | undefined;
}

/** Every collection of a language: one for each kind of resource, the settings, and the blocks of plugins for every route. */
export function collectionsOf(language: Language): Collection[] {
  const kinds = language.sections.map(({ key, kind, spec, description, example }) => ({
    name: key,
    kind,
    description,
    example,
    item: spec,
    resource: spec.safeExtend({ id: identifier.optional() }).describe(description),
    isNamedByPeople: true,
    holds: (resource: Pick<Resource, "kind">) => resource.kind === kind,
    schemaOf: () => spec,
  }));
  return [
    ...kinds,
    settingsOf(language, "settings", "Settings of the whole gateway, by the name of their block.", false),
    settingsOf(language, "plugins", "What plugins do for every route, by the name of the plugin.", true),
  ];
}

function settingsOf(language: Language, name: string, description: string, ofPlugins: boolean): Collection {
  const blocks = Object.entries(language.settings).filter(([block]) => language.isPlugin(block) === ofPlugins);
  const schemas = new Map(blocks);
  return {
    name,
    kind: "settings",
    description,
    item: blocks.length === 0 ? z.strictObject({}) : z.union(blocks.map(([, schema]) => schema)),
    resource: z.looseObject({ id: z.string().optional().describe("The name of the block.") }).describe(description),
    example: undefined,
    isNamedByPeople: false,
    holds: ({ kind, id }) => kind === "settings" && schemas.has(id),
    schemaOf: (id) => schemas.get(id),
  };
}
