/**
 * What a program of another version or with other plugins does not know of a configuration, by rule: the schemas of the language say
 * with `.meta({ since: "1.2" })` in which version a setting came (none: it was always there), and the program says its version and
 * its plugins. What it does not know is left out.
 *
 * Nothing may be less protected by that. What guards something, namely what is marked `.meta({ guards: true })` with all that is inside, and
 * every plugin that does not say that it is dispensable, is left out too, but as something that the program must not go without: whoever
 * asks is told so, and does not give the program the rest either.
 */
import type { z } from "zod";
import { isMapping, type Json, type JsonObject } from "./json.ts";
import type { Language } from "./language.ts";
import { formatPath, type PathSteps } from "./problem-path.ts";
import type { Resource, ResourceRef } from "./resource.ts";
import { schemaLayers, schemaOfKey, schemasOfItems, schemasWithin } from "./schema-tree.ts";

/** A program that is to run a configuration, as it says of itself. */
export interface Program {
  /** `1.4.0` */
  readonly version: string;
  /** Names with versions, which are empty where the plugin came with the program; none at all when it does not say. */
  readonly plugins: Readonly<Record<string, string>>;
}

/** Something of a resource that a program does not know. */
export interface LeftOut extends ResourceRef {
  /** Inside the spec; empty for the resource as a whole. */
  readonly path: string;
  /** A sentence. */
  readonly reason: string;
  /** The plugin that is missing, where that is the reason. */
  readonly plugin?: string;
  /** Whether the program must not run the configuration without it. */
  readonly guards: boolean;
}

/** Where in a spec something stands, and what holds there. */
interface Place {
  readonly resource: ResourceRef;
  readonly steps: PathSteps;
  /** Of whatever the schemas here belong to: the program or a plugin. */
  readonly version: string;
  /** Whose version that is; undefined for the program's own. */
  readonly plugin: string | undefined;
  readonly guards: boolean;
  readonly leftOut: LeftOut[];
}

export class EditionRules {
  readonly #language: Language;
  readonly #program: Program;
  readonly #missing: ReadonlySet<string>;
  /** Whether there is anything in values of the schema that the program may not know. */
  readonly #isDifferent = new Map<z.ZodType, boolean>();

  constructor(language: Language, program: Program) {
    this.#language = language;
    this.#program = program;
    const names = language.plugins.map(({ name }) => name);
    // Whoever has plugins at all says so.
    const says = Object.keys(program.plugins).length > 0;
    this.#missing = new Set(says ? names.filter((name) => !Object.hasOwn(program.plugins, name)) : []);
  }

  /** Whether the program knows all of the language, so that there is nothing to leave out. */
  get isWhole(): boolean {
    if (this.#missing.size > 0) return false;
    const { sections, settings } = this.#language;
    const kinds = sections.flatMap(({ kind, spec }) =>
      Object.entries<z.ZodType>(spec.shape).map(
        ([key, schema]) => [schema, this.#ownerOf({ kind, id: "" }) ?? key] as const,
      ),
    );
    const blocks = Object.entries(settings).map(([block, schema]) => [schema, block] as const);
    return [...kinds, ...blocks].every(([schema, owner]) => !this.#differs(schema, this.#versionOf(owner)));
  }

  /** The resource as the program knows it, undefined when it does not know any of it; the very resource when it knows all of it. */
  read(resource: Resource): { readonly resource: Resource | undefined; readonly leftOut: readonly LeftOut[] } {
    const { kind, id, spec } = resource;
    const owner = this.#ownerOf(resource);
    const leftOut: LeftOut[] = [];
    const place = this.#placeOf({ kind, id }, owner, leftOut);
    const schema = this.#language.specificationOf(resource);
    const schemas = schema === undefined ? [] : [schema];
    if (this.#leaves(spec, schemas, owner, place)) return { resource: undefined, leftOut };
    const layers = layersOf(schemas);
    const known = this.#mapping(spec, layers, areGuards(layers) ? { ...place, guards: true } : place);
    return { resource: known === spec ? resource : { kind, id, spec: known }, leftOut };
  }

  /** The plugin that the resource as a whole belongs to. */
  #ownerOf({ kind, id }: ResourceRef): string | undefined {
    if (kind === "settings") return this.#language.isPlugin(id) ? id : undefined;
    return this.#language.plugins.find(({ resources = {} }) => Object.hasOwn(resources, kind))?.name;
  }

  #placeOf(resource: ResourceRef, plugin: string | undefined, leftOut: LeftOut[]): Place {
    const [version, guards] =
      plugin === undefined ? [this.#program.version, false] : [this.#versionOf(plugin), this.#guards(plugin)];
    return { resource, steps: [], version, plugin, guards, leftOut };
  }

  /** Whether the value goes as a whole, because of its schemas or since it is the block of a plugin that is missing. */
  #leaves(value: Json, schemas: readonly z.ZodType[], block: string | undefined, place: Place): boolean {
    const { resource, steps, version, plugin, leftOut } = place;
    const path = formatPath(steps);
    if (block !== undefined && this.#missing.has(block)) {
      // What is switched off protects nothing.
      const isOff = isMapping(value) && value.enabled === false;
      const reason = `the node does not have the plugin ${block}`;
      leftOut.push({ ...resource, path, reason, plugin: block, guards: !isOff && this.#guards(block) });
      return true;
    }
    const [since, ...others] = schemas.map(sinceOf);
    // Of alternatives, one that the program knows is enough.
    if (since === undefined || ![since, ...others].every((one) => one !== undefined && isBefore(version, one)))
      return false;
    const whose = plugin === undefined ? "runway" : `the plugin ${plugin}`;
    const guards = place.guards || areGuards(layersOf(schemas));
    leftOut.push({ ...resource, path, reason: `it came with ${whose} ${since}, the node has ${version}`, guards });
    return true;
  }

  #mapping(mapping: JsonObject, layers: readonly z.ZodType[], place: Place): JsonObject {
    const isSpec = place.steps.length === 0 && place.resource.kind !== "settings";
    const entries = Object.entries(mapping);
    const known = entries.flatMap(([key, child]): [string, Json][] => {
      const block = isSpec && this.#language.isPlugin(key) ? key : undefined;
      const schemas = layers.flatMap((layer) => schemaOfKey(layer, key) ?? []);
      const inner = this.#inside(place, key, block);
      return this.#leaves(child, schemas, block, inner) ? [] : [[key, this.#value(child, schemas, inner)]];
    });
    const isSame = known.length === entries.length && known.every(([key, child]) => mapping[key] === child);
    return isSame ? mapping : Object.fromEntries(known);
  }

  #inside(place: Place, key: string, block: string | undefined): Place {
    const at = block === undefined ? place : this.#placeOf(place.resource, block, place.leftOut);
    return { ...at, steps: [...place.steps, key] };
  }

  #value(value: Json, schemas: readonly z.ZodType[], place: Place): Json {
    if (!schemas.some((schema) => this.#differs(schema, place.version))) return value;
    const layers = layersOf(schemas);
    const inner = areGuards(layers) ? { ...place, guards: true } : place;
    if (isMapping(value)) return this.#mapping(value, layers, inner);
    if (!Array.isArray(value)) return value;
    const elements = layers.flatMap(schemasOfItems);
    const known = value.map((item: Json, at) => this.#value(item, elements, { ...inner, steps: [...inner.steps, at] }));
    return known.every((item, at) => item === value[at]) ? value : known;
  }

  /** A schema is part of the program or of one plugin, so it goes with one version. */
  #differs(schema: z.ZodType, version: string): boolean {
    const known = this.#isDifferent.get(schema);
    if (known !== undefined) return known;
    // A schema that holds itself brings nothing new.
    this.#isDifferent.set(schema, false);
    const layers = layersOf([schema]);
    const isNew = layers.map(sinceOf).some((since) => since !== undefined && isBefore(version, since));
    const differs = isNew || layers.flatMap(schemasWithin).some((inner) => this.#differs(inner, version));
    this.#isDifferent.set(schema, differs);
    return differs;
  }

  #versionOf(plugin: string): string {
    return this.#program.plugins[plugin] || this.#program.version;
  }

  #guards(plugin: string): boolean {
    return this.#language.plugins.find(({ name }) => name === plugin)?.dispensable !== true;
  }
}

function layersOf(schemas: readonly z.ZodType[]): z.ZodType[] {
  return schemas.flatMap((schema) => [...schemaLayers(schema)]);
}

/** Where the schema is optional or has a default, what it wraps may say so. */
function sinceOf(schema: z.ZodType): string | undefined {
  const since = schema.meta()?.since;
  if (typeof since === "string") return since;
  return "innerType" in schema.def ? sinceOf(schema.def.innerType as z.ZodType) : undefined;
}

function areGuards(layers: readonly z.ZodType[]): boolean {
  return layers.some((layer) => layer.meta()?.guards === true);
}

/** By major and minor. A version that is no such numbers, such as that of a development build, is before none. */
function isBefore(version: string, since: string): boolean {
  const [own, other] = [version, since].map((text) => /^v?(\d+)\.(\d+)/.exec(text)?.slice(1).map(Number));
  if (own === undefined || other === undefined) return false;
  return own[0] === other[0] ? own[1]! < other[1]! : own[0]! < other[0]!;
}
