import { STATUS_CODES } from "node:http";
import { FAILURES, type FailureKind } from "../../core/failure.ts";
import { type Answering, connectionField } from "./forwarded-response.ts";

export interface Rescue extends Answering {
  readonly kind: FailureKind;
  /** A clause that may be shown to the client: what is wrong with what it sent. */
  readonly detail: string | undefined;
  /** An answer to HEAD has no body. */
  readonly isHead: boolean;
  /** For 405: what the route does answer. */
  readonly allow: readonly string[];
  /** How long the client should wait before it tries again; 0 says nothing. */
  readonly retryAfterSeconds: number;
}

/** The one place that turns a failure into an answer. */
export function rescue({ kind, detail, isHead, allow, retryAfterSeconds, ...answering }: Rescue): string {
  const { code, status, message } = FAILURES[kind];
  const body = `${JSON.stringify({
    code,
    status,
    message: detail === undefined ? message : `${message.slice(0, -1)}: ${detail}.`,
    request_id: answering.requestId,
  })}\n`;
  return (
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\n` +
    "Content-Type: application/json\r\n" +
    `Content-Length: ${Buffer.byteLength(body)}\r\n` +
    (allow.length === 0 ? "" : `Allow: ${[...new Set(allow)].join(", ")}\r\n`) +
    (retryAfterSeconds === 0 ? "" : `Retry-After: ${retryAfterSeconds}\r\n`) +
    answering.dateLine +
    connectionField(answering) +
    `X-Request-ID: ${answering.requestId}\r\n\r\n` +
    (isHead ? "" : body)
  );
}
