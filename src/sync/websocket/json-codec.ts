import type { z } from "zod";
import { isMapping, type Json, type JsonObject } from "../../config/json.ts";
import { formatHash } from "../../config/state-hash.ts";
import type { FromControlPlane, FromNode } from "../messages.ts";
import { writeCall, writeResult } from "../rpc/json-rpc.ts";
import { CONTROL_PLANE_MESSAGES, NODE_MESSAGES } from "./message-schemas.ts";
import { HELLO_ID, METHOD_PREFIX } from "./protocol.ts";

export function encodeFromNode(message: FromNode): string {
  if (message.type === "rpc") return message.frame;
  const { type, ...params } = message;
  return JSON.stringify(writeCall(METHOD_PREFIX + type, wireForm(params), type === "hello" ? HELLO_ID : undefined));
}

const encoded = new WeakMap<FromControlPlane, string>();

/** The same message object gives the same text, encoded once and kept for as long as the message is. */
export function encodeFromControlPlane(message: FromControlPlane): string {
  const known = encoded.get(message) ?? writeFromControlPlane(message);
  encoded.set(message, known);
  return known;
}

/**
 * What is under the prefix and no session message is a remote call, as everything else.
 * @throws Error when the text is not a message
 */
export function decodeFromNode(text: string): FromNode {
  const value = JSON.parse(text) as Json;
  const type = sessionMessage(value);
  if (type === undefined || !isNameIn(NODE_MESSAGES, type)) return { type: "rpc", frame: text };
  return { ...read<object>(NODE_MESSAGES[type], (value as JsonObject).params), type } as FromNode;
}

/** As `decodeFromNode`. */
export function decodeFromControlPlane(text: string): FromControlPlane {
  const value = JSON.parse(text) as Json;
  if (isMapping(value) && value.id === HELLO_ID && value.result !== undefined)
    return { ...read<object>(CONTROL_PLANE_MESSAGES.welcome, value.result), type: "welcome" } as FromControlPlane;
  const type = sessionMessage(value);
  if (type === undefined || !isNameIn(CONTROL_PLANE_MESSAGES, type)) return { type: "rpc", frame: text };
  return { ...read<object>(CONTROL_PLANE_MESSAGES[type], (value as JsonObject).params), type } as FromControlPlane;
}

function writeFromControlPlane(message: FromControlPlane): string {
  if (message.type === "rpc") return message.frame;
  const { type, ...params } = message;
  const form = wireForm(params);
  return JSON.stringify(type === "welcome" ? writeResult(HELLO_ID, form) : writeCall(METHOD_PREFIX + type, form));
}

/** The name of the session message; undefined for a remote call. */
function sessionMessage(value: Json): string | undefined {
  if (!isMapping(value) || typeof value.method !== "string") return undefined;
  return value.method.startsWith(METHOD_PREFIX) ? value.method.slice(METHOD_PREFIX.length) : undefined;
}

function isNameIn<Table extends object>(table: Table, name: string): name is Extract<keyof Table, string> {
  return Object.hasOwn(table, name);
}

function read<T>(schema: z.ZodType<T>, value: Json | undefined): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const { path, message } = result.error.issues[0]!;
  throw new Error(`${path.join(".")}: ${message}`);
}

/** Plain JSON of a message: 64-bit numbers as hexadecimal digits, octets as base64; what is undefined is left out. */
function wireForm(value: object): JsonObject {
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return Object.fromEntries(members.map(([name, member]) => [name, wireValue(member)]));
}

function wireValue(value: unknown): Json {
  if (typeof value === "bigint") return formatHash(value);
  if (value instanceof Uint8Array)
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("base64");
  if (Array.isArray(value)) return value.map(wireValue);
  return typeof value === "object" && value !== null ? wireForm(value) : (value as Json);
}
