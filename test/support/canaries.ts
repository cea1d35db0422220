import assert from "node:assert/strict";
import { createHash, generateKeyPairSync } from "node:crypto";
import { z } from "zod";
import type { JsonObject } from "../../src/config/json.ts";
import type { Language } from "../../src/config/language.ts";
import type { Resource, ResourceRef } from "../../src/config/resource.ts";
import { secrecyOf } from "../../src/sdk/secret.ts";

/**
 * A configuration with a canary in every secret of a language: found by walking its schemas, so that a new secret has one by itself,
 * or else fails here with what is missing.
 */
export interface Planting {
  readonly resources: readonly Resource[];
  /** Each as it stands in its secret, by its place: `route jwt.secret`. */
  readonly canaries: ReadonlyMap<string, string>;
}

/** A secret of a schema: its path, and the whole value that is needed around it. */
interface Place {
  readonly path: string;
  readonly leaf: z.ZodType;
  around(secret: unknown): unknown;
}

/** What every resource of a kind needs. */
const BASES: Readonly<Record<string, (id: string) => JsonObject>> = {
  route: (id) => ({ path: `/${id}`, backends: [{ url: "http://127.0.0.1:9" }] }),
  upstream: () => ({ backends: [{ url: "http://127.0.0.1:9" }] }),
  listener: () => ({ address: "127.0.0.1:0" }),
  // What is read of a certificate is read where it is used.
  certificate: () => ({ cert: "${file:/dev/null}" }),
};

export function plantCanaries(language: Language): Planting {
  const canaries = new Map<string, string>();
  const resources: Resource[] = [];
  for (const { kind, spec } of language.sections)
    for (const [index, place] of [...placesIn(spec)].entries()) {
      const id = `${kind}-${index}`;
      const planted = { ...(plant(`${kind} ${place.path}`, place) as JsonObject), ...BASES[kind]?.(id) };
      resources.push(checked(language, { kind, id }, planted));
    }
  for (const [id, block] of Object.entries(language.settings)) {
    const values = [...placesIn(block)].map((place) => plant(`settings ${id}.${place.path}`, place) as JsonObject);
    if (values.length > 0) resources.push(checked(language, { kind: "settings", id }, values.reduce(merged)));
  }
  return { resources, canaries };

  function plant(name: string, place: Place): unknown {
    const canary = canaryFor(name, place.leaf);
    canaries.set(name, canary);
    return place.around(canary);
  }
}

function checked(language: Language, ref: ResourceRef, spec: JsonObject): Resource {
  const { error } = language.specificationOf(ref)!.safeParse(spec);
  assert.equal(error, undefined, `canaries.ts cannot make a valid ${ref.kind}: ${JSON.stringify(spec)}, ${error}`);
  return { ...ref, spec };
}

function* placesIn(schema: z.ZodType, path = ""): Generator<Place> {
  if (secrecyOf(schema) !== undefined) {
    yield { path, leaf: schema, around: (secret) => secret };
    return;
  }
  if (schema instanceof z.ZodObject)
    for (const [key, child] of Object.entries<z.ZodType>(schema.shape))
      yield* within(placesIn(child, join(path, key)), (inner) => ({ ...required(schema), [key]: inner }));
  if (schema instanceof z.ZodRecord)
    yield* within(placesIn(schema.valueType as z.ZodType, join(path, "Authorization")), (Authorization) => ({
      Authorization,
    }));
  if (schema instanceof z.ZodArray)
    yield* within(placesIn(schema.element as z.ZodType, `${path}[]`), (item) => listOf(schema, path, item));
  if (schema instanceof z.ZodUnion) for (const option of schema.options) yield* placesIn(option as z.ZodType, path);
  if (schema instanceof z.ZodPipe) yield* placesIn(schema.in as z.ZodType, path);
  if ("innerType" in schema.def) yield* placesIn(schema.def.innerType as z.ZodType, path);
}

function* within(places: Iterable<Place>, outer: (inner: unknown) => unknown): Generator<Place> {
  for (const place of places) yield { ...place, around: (secret) => outer(place.around(secret)) };
}

/** What a mapping cannot do without. `turn` tells things apart that must not be called the same. */
function required(schema: z.ZodObject, turn = 0): JsonObject {
  const missing = Object.entries<z.ZodType>(schema.shape).filter(([, child]) => !child.safeParse(undefined).success);
  return Object.fromEntries(missing.map(([key, child]) => [key, sample(child, key, turn)])) as JsonObject;
}

/** As short as the schema allows, but not empty. */
function listOf(schema: z.ZodArray, key: string, ...begin: readonly unknown[]): readonly unknown[] {
  if (begin.length > 0 && schema.safeParse(begin).success) return begin;
  assert.ok(begin.length < 3, `canaries.ts cannot make a list for ${key}`);
  return listOf(schema, key, ...begin, sample(schema.element as z.ZodType, key, begin.length));
}

/** `name` is of something that is secret by it. */
const SAMPLES = ["Authorization", "https://example.com/", "/sample", "127.0.0.1:0", "2030-01-01T00:00:00Z", 1, true];

function sample(schema: z.ZodType, key: string, turn = 0): unknown {
  const candidates = [
    ...((schema.meta()?.examples as unknown[] | undefined) ?? []),
    ...(turn === 0 ? [] : [`Authorization-${turn}`]),
    ...SAMPLES,
    ...FORMS.map((form) => form(digest(key))),
    ...(schema instanceof z.ZodArray ? [schema.safeParse([]).success ? [] : listOf(schema, key)] : []),
    ...(schema instanceof z.ZodObject ? [required(schema, turn)] : []),
    ...(schema instanceof z.ZodEnum ? schema.options : []),
  ];
  const fitting = candidates.find((candidate) => schema.safeParse(candidate).success);
  assert.notEqual(fitting, undefined, `canaries.ts has no value for ${key}: give its schema an example`);
  return fitting;
}

/** The forms that secrets have; each holds the digest. */
const FORMS: readonly ((digest: string) => string)[] = [
  (digest) => `canary-${digest}-of-more-than-32-bytes`,
  (digest) => `sha256:${digest}${"0".repeat(42)}`,
  (digest) => `scrypt:16384:8:1:${digest}:${"A".repeat(43)}`,
  (digest) => `${digest}\n${privateKey()}`,
];

/** What stands before it in PEM is a comment. */
function privateKey(): string {
  const pem = {
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  } as const;
  return generateKeyPairSync("ed25519", pem).privateKey;
}

function canaryFor(name: string, leaf: z.ZodType): string {
  const form = FORMS.find((candidate) => leaf.safeParse(candidate(digest(name))).success);
  assert.ok(form, `canaries.ts has no form of a secret that fits ${name}: add one`);
  return form(digest(name));
}

/** 22 digits, as long as the shortest part of a secret may be. */
function digest(name: string): string {
  return createHash("sha256").update(name).digest("hex").slice(0, 22);
}

/** What of a canary has to be looked for. */
export function distinctive(canary: string): string {
  return /[0-9a-f]{22}/.exec(canary)![0];
}

function join(path: string, key: string): string {
  return path === "" ? key : `${path}.${key}`;
}

function merged(a: JsonObject, b: JsonObject): JsonObject {
  const both = Object.entries(b).map(([key, value]) => {
    const known = a[key];
    const areMappings = [known, value].every((one) => typeof one === "object" && one !== null && !Array.isArray(one));
    return [key, areMappings ? merged(known as JsonObject, value as JsonObject) : value];
  });
  return { ...a, ...Object.fromEntries(both) };
}
