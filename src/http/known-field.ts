import { TOKEN_LOWER } from "./octets.ts";

/**
 * The fields that someone in the house looks at, as small numbers, so that a head is understood without comparing strings.
 * Every other field is `other`.
 */
export const FIELD = {
  other: 0,
  host: 1,
  connection: 2,
  contentLength: 3,
  transferEncoding: 4,
  expect: 5,
  upgrade: 6,
  keepAlive: 7,
  proxyConnection: 8,
  te: 9,
  trailer: 10,
  proxyAuthenticate: 11,
  proxyAuthorization: 12,
  date: 13,
  xForwardedFor: 14,
  xForwardedProto: 15,
  xForwardedHost: 16,
  xRequestId: 17,
  forwarded: 18,
  contentType: 19,
  grpcTimeout: 20,
} as const;

export type FieldId = (typeof FIELD)[keyof typeof FIELD];
export const FIELD_COUNT = Object.keys(FIELD).length;

/** `contentLength` is `content-length` on the wire. */
const NAMES: readonly string[] = Object.keys(FIELD).map((key) => key.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`));

/** One step of the hash by which names are found; `lower` is the code of the next character in lower case. */
export function hashStep(hash: number, lower: number): number {
  return (hash * 31 + lower) | 0;
}

const SLOTS = 256;
const slots = new Uint8Array(SLOTS);
for (const [id, name] of NAMES.entries()) {
  if (id === FIELD.other) continue;
  let hash = 0;
  for (let at = 0; at < name.length; at++) hash = hashStep(hash, name.charCodeAt(at));
  let slot = hash & (SLOTS - 1);
  while (slots[slot] !== FIELD.other) slot = (slot + 1) & (SLOTS - 1);
  slots[slot] = id;
}

/** The field whose name stands in `octets` from `start` to `end`; `hash` is `hashStep` over it. */
export function knownField(hash: number, octets: Buffer, start: number, end: number): FieldId {
  for (let slot = hash & (SLOTS - 1); slots[slot] !== FIELD.other; slot = (slot + 1) & (SLOTS - 1)) {
    const id = slots[slot]!;
    if (isName(NAMES[id]!, octets, start, end)) return id as FieldId;
  }
  return FIELD.other;
}

function isName(name: string, octets: Buffer, start: number, end: number): boolean {
  if (name.length !== end - start) return false;
  for (let at = 0; at < name.length; at++) if (TOKEN_LOWER[octets[start + at]!] !== name.charCodeAt(at)) return false;
  return true;
}
