import { z } from "zod";
import { namesSecret, REDACTED, secrecyOf } from "../sdk/secret.ts";
import { isMapping, type Json, type JsonObject } from "./json.ts";
import type { Language } from "./language.ts";
import type { Resource, ResourceRef } from "./resource.ts";
import { schemaLayers, schemaOfKey, schemasOfItems, schemasWithin } from "./schema-tree.ts";
import { isSecretReference } from "./secret-reference.ts";

/**
 * Resources with a marker in the place of each secret. What is a secret is said by the schemas of the language; what they do not
 * know, such as the block of a plugin that is gone, is hidden as a whole.
 */
export class Redaction {
  readonly #language: Pick<Language, "specificationOf">;
  readonly #replace: (secret: Json) => Json;
  readonly #knownToHold = new Map<z.ZodType, boolean>();

  /** @param replace what stands in the place of a secret; the marker unless given */
  constructor(language: Pick<Language, "specificationOf">, replace: (secret: Json) => Json = () => REDACTED) {
    this.#language = language;
    this.#replace = replace;
  }

  resource(resource: Resource): Resource {
    return { ...resource, spec: this.spec(resource, resource.spec) };
  }

  /** A spec of the kind and id, as written or in running form. */
  spec(ref: ResourceRef, spec: JsonObject): JsonObject {
    return this.mapping(this.#language.specificationOf(ref), spec);
  }

  /** A mapping that the schema describes. */
  mapping(schema: z.ZodType | undefined, mapping: JsonObject): JsonObject {
    return this.#mapping(mapping, schema === undefined ? [] : [...schemaLayers(schema)]);
  }

  /** @param name by which the value goes, for those that are secret by name */
  #value(value: Json, schemas: readonly z.ZodType[], name: string): Json {
    if (schemas.length === 0) return this.#hidden(value);
    if (!schemas.some((schema) => this.#holdsSecrets(schema))) return value;
    const layers = schemas.flatMap((schema) => [...schemaLayers(schema)]);
    if (layers.some((layer) => isSecret(layer, name))) return this.#hidden(value);
    if (isMapping(value)) return this.#mapping(value, layers);
    if (!Array.isArray(value)) return value;
    const elements = layers.flatMap(schemasOfItems);
    return value.map((item: Json) => this.#value(item, elements, name));
  }

  #mapping(mapping: JsonObject, layers: readonly z.ZodType[]): JsonObject {
    const isList = layers.some((layer) => layer instanceof z.ZodRecord);
    const nameOf = (key: string) => (!isList && typeof mapping.name === "string" ? mapping.name : key);
    const entries = Object.entries(mapping).map(([key, child]) => {
      const schemas = layers.map((layer) => schemaOfKey(layer, key)).filter((schema) => schema !== undefined);
      return [key, this.#value(child, schemas, nameOf(key))] as const;
    });
    return Object.fromEntries(entries);
  }

  /** References are no secrets, and nothing is none either. */
  #hidden(value: Json): Json {
    if ((value ?? "") === "" || (typeof value === "string" && isSecretReference(value))) return value;
    return this.#replace(value);
  }

  #holdsSecrets(schema: z.ZodType): boolean {
    return this.#knownToHold.getOrInsertComputed(schema, () => allBelow(schema).some((inner) => secrecyOf(inner)));
  }
}

function isSecret(schema: z.ZodType, name: string): boolean {
  const secrecy = secrecyOf(schema);
  return secrecy === "always" || (secrecy === "by name" && namesSecret(name));
}

function allBelow(schema: z.ZodType): z.ZodType[] {
  const found = new Set<z.ZodType>();
  const visit = (next: z.ZodType): void => {
    if (found.has(next)) return;
    found.add(next);
    for (const layer of schemaLayers(next)) {
      found.add(layer);
      schemasWithin(layer).forEach(visit);
    }
  };
  visit(schema);
  return [...found];
}
