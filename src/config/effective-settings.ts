import { z } from "zod";
import { isMapping, type Json } from "./json.ts";
import type { Language } from "./language.ts";
import { type LoadedNode, ownBlocks } from "./load-node.ts";
import { NodeSettingsSpec } from "./node-settings.ts";
import { formatPath, type PathSteps, parentPath } from "./problem-path.ts";
import { Redaction } from "./redaction.ts";
import { defaultOf, unwrap } from "./schema-tree.ts";

/** A setting that is in force, and why. */
export interface EffectiveSetting {
  readonly path: string;
  /** As a person writes it; secrets are redacted. */
  readonly value: Json;
  /** `default`, `file line 12` or `env RUNWAY_ADMIN_PORT`. */
  readonly origin: string;
}

/** Every setting of a node and of what its file says about the gateway, in the order of the schemas. */
export function effectiveSettings(language: Language, { document, environment }: LoadedNode): EffectiveSetting[] {
  const variables = new Map(environment.map(({ steps, name }) => [formatPath(steps), name]));
  const originOf = (path: string): string => {
    for (let place: string | undefined = path; place !== undefined; place = parentPath(place)) {
      const name = variables.get(place);
      if (name !== undefined) return `env ${name}`;
    }
    const line = document.lineOf(path);
    return line === undefined ? "file" : `file line ${line}`;
  };
  return [...writtenAndDefault(language, { document, environment })].map(({ steps, value, written }) => {
    const path = formatPath(steps);
    return { path, value, origin: written ? originOf(path) : "default" };
  });
}

interface Found {
  readonly steps: PathSteps;
  readonly value: Json;
  readonly written: boolean;
}

function* writtenAndDefault(
  language: Language,
  { document, environment }: Pick<LoadedNode, "document" | "environment">,
): Generator<Found> {
  const { sections, settings } = language;
  const redaction = new Redaction(language);
  yield* walk(NodeSettingsSpec, redaction.mapping(NodeSettingsSpec, ownBlocks(document, environment)), []);
  for (const { key, kind, form, spec: schema } of sections) {
    const entries = document.entries.filter((entry) => entry.kind === kind);
    for (const [position, { id, spec }] of entries.entries()) {
      const steps = form === "mapping" ? [key, id] : [key, position];
      if (form === "list") yield { steps: [...steps, "id"], value: id, written: true };
      yield* walk(schema, redaction.spec({ kind, id }, spec), steps);
    }
  }
  for (const [name, schema] of Object.entries(settings)) {
    if (name === "logging") continue;
    const entry = document.entries.find(({ kind, id }) => kind === "settings" && id === name);
    yield* walk(schema, entry && redaction.spec(entry, entry.spec), [name]);
  }
}

function* walk(schema: z.ZodType, written: Json | undefined, steps: PathSteps): Generator<Found> {
  const bare = unwrap(schema);
  // A block of a plugin that nobody wrote is not there, and so has no defaults.
  if (written === undefined && schema instanceof z.ZodOptional) return;
  if (bare instanceof z.ZodObject) {
    const values = isMapping(written) ? written : {};
    for (const [key, child] of Object.entries(bare.shape))
      yield* walk(child as z.ZodType, values[key], [...steps, key]);
    return;
  }
  const element = bare instanceof z.ZodArray ? (bare.def.element as z.ZodType) : undefined;
  if (element !== undefined && Array.isArray(written) && unwrap(element) instanceof z.ZodObject) {
    for (const [position, item] of written.entries()) yield* walk(element, item, [...steps, position]);
    return;
  }
  if (written !== undefined) yield { steps, value: written, written: true };
  else {
    const value = defaultOf(schema);
    if (value !== undefined) yield { steps, value: value as Json, written: false };
  }
}
