import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import type { Delta } from "../config/delta.ts";
import type { Resource, ResourceRef } from "../config/resource.ts";
import { ENCODINGS, type Encoding } from "./messages.ts";

/** The resources as a JSON array of `{kind, id, spec}`, compressed where the encoding says so. */
export function encodeSnapshot(resources: readonly Resource[], encoding: Encoding): Buffer {
  return compress(resources.map(plainResource), encoding);
}

/**
 * @param maxBytes what the decompressed JSON may take
 * @throws Error when the bytes are not a snapshot in this encoding
 */
export function decodeSnapshot(bytes: Uint8Array, encoding: string, maxBytes: number): Resource[] {
  const value = decodeJson(bytes, encoding, maxBytes);
  if (!Array.isArray(value) || !value.every(isResource)) throw new Error("the snapshot is not a list of resources");
  return value;
}

/** The delta as a JSON object of the lists `upserts` and `removals`, compressed where the encoding says so. */
export function encodeDelta({ upserts, removals }: Delta, encoding: Encoding): Buffer {
  return compress({ upserts: upserts.map(plainResource), removals: removals.map(plainRef) }, encoding);
}

/**
 * @param maxBytes what the decompressed JSON may take
 * @throws Error when the bytes are not a delta in this encoding
 */
export function decodeDelta(bytes: Uint8Array, encoding: string, maxBytes: number): Delta {
  const value = decodeJson(bytes, encoding, maxBytes);
  const { upserts, removals } = (value ?? {}) as { readonly upserts?: unknown; readonly removals?: unknown };
  if (!Array.isArray(upserts) || !upserts.every(isResource) || !Array.isArray(removals) || !removals.every(isRef))
    throw new Error("the change is not a list of resources and a list of removals");
  return { upserts, removals };
}

/** The first encoding of the peer's that we have too; plain JSON, which everyone has, when there is none. */
export function chooseEncoding(offered: readonly string[]): Encoding {
  return ENCODINGS.find((encoding) => offered.includes(encoding)) ?? "json";
}

function plainResource({ kind, id, spec }: Resource): Resource {
  return { kind, id, spec };
}

function plainRef({ kind, id }: ResourceRef): ResourceRef {
  return { kind, id };
}

function compress(value: unknown, encoding: Encoding): Buffer {
  const json = Buffer.from(JSON.stringify(value));
  return encoding === "json" ? json : zstdCompressSync(json);
}

function decodeJson(bytes: Uint8Array, encoding: string, maxBytes: number): unknown {
  const json = encoding === "json" ? bytes : decompress(bytes, encoding, maxBytes);
  if (json.byteLength > maxBytes) throw new Error(`it is larger than ${maxBytes} bytes`);
  return JSON.parse(Buffer.from(json.buffer, json.byteOffset, json.byteLength).toString("utf8"));
}

function decompress(bytes: Uint8Array, encoding: string, maxOutputLength: number): Buffer {
  if (encoding !== "json+zstd") throw new Error(`the encoding ${JSON.stringify(encoding)} is not known`);
  return zstdDecompressSync(bytes, { maxOutputLength });
}

/** Only what hashing needs; the meaning of the spec is checked by whoever applies it. */
function isResource(value: unknown): value is Resource {
  if (!isRef(value)) return false;
  const { spec } = value as Partial<Resource>;
  return typeof spec === "object" && spec !== null && !Array.isArray(spec);
}

function isRef(value: unknown): value is ResourceRef {
  if (typeof value !== "object" || value === null) return false;
  const { kind, id } = value as Record<string, unknown>;
  return typeof kind === "string" && typeof id === "string";
}
