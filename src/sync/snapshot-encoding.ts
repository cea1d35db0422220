import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import type { Resource } from "../config/resource.ts";
import { ENCODINGS, type Encoding } from "./messages.ts";

/** The resources as a JSON array of `{kind, id, spec}`, compressed where the encoding says so. */
export function encodeSnapshot(resources: readonly Resource[], encoding: Encoding): Buffer {
  const json = Buffer.from(JSON.stringify(resources.map(({ kind, id, spec }) => ({ kind, id, spec }))));
  return encoding === "json" ? json : zstdCompressSync(json);
}

/**
 * @param maxBytes what the decompressed JSON may take
 * @throws Error when the bytes are not a snapshot in this encoding
 */
export function decodeSnapshot(bytes: Uint8Array, encoding: string, maxBytes: number): Resource[] {
  const json = encoding === "json" ? bytes : decompress(bytes, encoding, maxBytes);
  if (json.byteLength > maxBytes) throw new Error(`the snapshot is larger than ${maxBytes} bytes`);
  const value: unknown = JSON.parse(Buffer.from(json.buffer, json.byteOffset, json.byteLength).toString("utf8"));
  if (!Array.isArray(value) || !value.every(isResource)) throw new Error("the snapshot is not a list of resources");
  return value;
}

/** The first encoding of the peer's that we have too; plain JSON, which everyone has, when there is none. */
export function chooseEncoding(offered: readonly string[]): Encoding {
  return ENCODINGS.find((encoding) => offered.includes(encoding)) ?? "json";
}

function decompress(bytes: Uint8Array, encoding: string, maxOutputLength: number): Buffer {
  if (encoding !== "json+zstd") throw new Error(`the encoding ${JSON.stringify(encoding)} is not known`);
  return zstdDecompressSync(bytes, { maxOutputLength });
}

/** Only what hashing needs; the meaning of the spec is checked by whoever applies it. */
function isResource(value: unknown): value is Resource {
  if (typeof value !== "object" || value === null) return false;
  const { kind, id, spec } = value as Record<string, unknown>;
  return (
    typeof kind === "string" &&
    typeof id === "string" &&
    typeof spec === "object" &&
    spec !== null &&
    !Array.isArray(spec)
  );
}
