import type { FieldLines } from "../../../http/field-lines.ts";
import { FIELD } from "../../../http/known-field.ts";

const CONTENT_TYPE = /^application\/grpc(?:[+;]|$)/i;
const ANY_CALL = /^application\/grpc(?:-web(?:-text)?)?(?:[+;]|$)/i;
const TIMEOUT = /^(\d{1,8})([HMSmun])$/;
const UNIT_MS: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1_000, m: 1, u: 0.001, n: 0.000_001 };
/** A timer of the runtime cannot wait longer; a call that may is as good as one without a deadline. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

/** Whether the request is a call of gRPC, whose failures are told in its own way. */
export function isGrpc(fields: FieldLines): boolean {
  const index = fields.indexOf(FIELD.contentType);
  return index >= 0 && CONTENT_TYPE.test(fields.value(index));
}

/** Whether the request is a call of gRPC or of gRPC-Web. */
export function isAnyCall(fields: FieldLines): boolean {
  const index = fields.indexOf(FIELD.contentType);
  return index >= 0 && ANY_CALL.test(fields.value(index));
}

/** How long the caller waits for the end of the call; undefined when it does not say so in a valid way. */
export function grpcTimeoutMs(fields: FieldLines): number | undefined {
  const index = fields.indexOf(FIELD.grpcTimeout);
  const [, amount, unit] = (index < 0 ? undefined : TIMEOUT.exec(fields.value(index))) ?? [];
  if (amount === undefined || unit === undefined) return undefined;
  const timeoutMs = Math.ceil(Number(amount) * UNIT_MS[unit]!);
  return timeoutMs > MAX_TIMEOUT_MS ? undefined : timeoutMs;
}
