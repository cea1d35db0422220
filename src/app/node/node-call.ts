import { NODE_PREFIX } from "../../admin/node-calls.ts";
import type { Json, JsonObject } from "../../config/json.ts";
import { RunwayError } from "../../core/failure.ts";
import { RPC_ERRORS } from "../../sync/rpc/json-rpc.ts";
import { RpcFailure } from "../../sync/rpc/rpc-failure.ts";
import type { CallOptions } from "../../sync/rpc/rpc-peer.ts";

const NODE_CALL_LIMIT_MS = 5_000;

type Call = (method: string, params: JsonObject, options: CallOptions) => Promise<Json>;

/** Calls a node, and words what goes wrong for whoever asked through the admin API. */
export async function callNode(name: string, params: JsonObject, call: Call): Promise<Json> {
  try {
    return await call(NODE_PREFIX + name, params, { timeoutMs: NODE_CALL_LIMIT_MS });
  } catch (error) {
    throw error instanceof RpcFailure ? worded(error) : error;
  }
}

function worded(failure: RpcFailure): RunwayError {
  const { code } = failure.error;
  const cause = { cause: failure };
  if (code === RPC_ERRORS.invalidParams.code) return new RunwayError("adminBadRequest", failure.message, cause);
  if (code === RPC_ERRORS.busy.code) return new RunwayError("overloaded", failure.message, cause);
  const why = code === RPC_ERRORS.methodNotFound.code ? "The node's program does not know this call" : failure.message;
  return new RunwayError("nodeCallFailed", why, cause);
}
