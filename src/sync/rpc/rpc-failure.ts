import { FAILURES, RunwayError } from "../../core/failure.ts";
import { RPC_ERRORS, type RpcErrorObject } from "./json-rpc.ts";

/** A call that was answered with an error. `message` may be shown to whoever made it. */
export class RpcFailure extends Error {
  readonly error: RpcErrorObject;

  constructor(error: RpcErrorObject) {
    super(typeof error.data === "string" ? `${error.message}: ${error.data}` : error.message);
    this.name = "RpcFailure";
    this.error = error;
  }
}

/** What the other side is told of something thrown: failures of the table by their code, everything else without its cause. */
export function errorOf(reason: unknown): RpcErrorObject {
  if (reason instanceof RpcFailure) return reason.error;
  if (!(reason instanceof RunwayError)) return RPC_ERRORS.internal;
  const { code, message } = FAILURES[reason.kind];
  return { ...RPC_ERRORS.failed, message: reason.detail ?? message, data: { code } };
}
