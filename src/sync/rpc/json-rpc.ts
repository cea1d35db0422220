import { isMapping, type Json, type JsonObject } from "../../config/json.ts";

/** The codes of JSON-RPC 2.0 §5.1, and ours in the range that it leaves to implementations. */
export const RPC_ERRORS = {
  parse: { code: -32_700, message: "Parse error" },
  invalidRequest: { code: -32_600, message: "Invalid Request" },
  methodNotFound: { code: -32_601, message: "Method not found" },
  invalidParams: { code: -32_602, message: "Invalid params" },
  internal: { code: -32_603, message: "Internal error" },
  /** `data` names the failure (src/core/failure.ts). */
  failed: { code: -32_000, message: "The call failed" },
  cancelled: { code: -32_001, message: "The call was cancelled" },
  busy: { code: -32_002, message: "Too many calls are being answered" },
} as const;

type RpcId = number | string;

export interface RpcErrorObject {
  readonly code: number;
  readonly message: string;
  readonly data?: Json;
}

/** A call, or a notification where there is no id. Parameters are by name or none: positions tell a reader nothing. */
export interface RpcCall {
  readonly kind: "call";
  readonly id: RpcId | undefined;
  readonly method: string;
  readonly params: JsonObject;
}

export interface RpcReply {
  readonly kind: "reply";
  /** Null where the request could not be read far enough to know it. */
  readonly id: RpcId | null;
  readonly outcome: { readonly result: Json } | { readonly error: RpcErrorObject };
}

/** Something that is neither, with the answer that it gets. */
interface RpcInvalid {
  readonly kind: "invalid";
  readonly id: RpcId | null;
  readonly error: RpcErrorObject;
}

export type RpcMessage = RpcCall | RpcReply | RpcInvalid;

/** What one frame holds. The answers to a batch go back as a batch. */
export interface RpcFrame {
  readonly isBatch: boolean;
  readonly messages: readonly RpcMessage[];
}

/** Never throws: what cannot be read is a message of kind `invalid`. `maxBatch` messages at most are taken of a batch. */
export function readFrame(text: string, maxBatch: number): RpcFrame {
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch {
    return single({ kind: "invalid", id: null, error: RPC_ERRORS.parse });
  }
  if (!Array.isArray(value)) return single(readMessage(value));
  const batch = value as readonly Json[];
  if (batch.length === 0 || batch.length > maxBatch) {
    const data = `a batch has 1 to ${maxBatch} messages`;
    return single({ kind: "invalid", id: null, error: { ...RPC_ERRORS.invalidRequest, data } });
  }
  return { isBatch: true, messages: batch.map(readMessage) };
}

export function writeCall(method: string, params: JsonObject, id?: RpcId): JsonObject {
  return { jsonrpc: "2.0", method, params, ...(id === undefined ? {} : { id }) };
}

export function writeResult(id: RpcId, result: Json): JsonObject {
  return { jsonrpc: "2.0", id, result };
}

export function writeError(id: RpcId | null, { code, message, data }: RpcErrorObject): JsonObject {
  return { jsonrpc: "2.0", id, error: { code, message, ...(data === undefined ? {} : { data }) } };
}

function single(message: RpcMessage): RpcFrame {
  return { isBatch: false, messages: [message] };
}

function readMessage(value: Json): RpcMessage {
  if (!isMapping(value)) return invalid(null, "a message is an object");
  const { jsonrpc, method, params = {}, id, result, error } = value;
  if (id !== undefined && id !== null && typeof id !== "string" && typeof id !== "number")
    return invalid(null, "an id is a string or a number");
  if (jsonrpc !== "2.0") return invalid(id ?? null, 'jsonrpc has to be "2.0"');
  if (method === undefined) return readReply(id ?? null, result, error);
  if (typeof method !== "string" || id === null)
    return invalid(id ?? null, "a method is a string, and an id is not null");
  if (!isMapping(params))
    return { kind: "invalid", id: id ?? null, error: { ...RPC_ERRORS.invalidParams, data: "parameters go by name" } };
  return { kind: "call", id, method, params };
}

function readReply(id: RpcId | null, result: Json | undefined, error: Json | undefined): RpcMessage {
  if (result !== undefined && error === undefined) return { kind: "reply", id, outcome: { result } };
  const isError = isMapping(error) && typeof error.code === "number" && typeof error.message === "string";
  if (result !== undefined || !isError) return invalid(id, "a message has a method, a result or an error");
  return { kind: "reply", id, outcome: { error: error as unknown as RpcErrorObject } };
}

function invalid(id: RpcId | null, data: string): RpcInvalid {
  return { kind: "invalid", id, error: { ...RPC_ERRORS.invalidRequest, data } };
}
