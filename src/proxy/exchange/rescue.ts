import { STATUS_CODES } from "node:http";
import { FAILURES, type FailureKind } from "../../core/failure.ts";
import { type Answer, refuse } from "../../sdk/answer.ts";
import { type Answering, connectionField } from "./forwarded-response.ts";

export interface Rescue {
  /** A clause that may be shown to the client: what is wrong with what it sent. */
  readonly detail?: string | undefined;
  /** For 405: what the route does answer. */
  readonly allow?: readonly string[];
  /** How long the client should wait before it tries again; 0 says nothing. */
  readonly retryAfterSeconds?: number;
}

/** The one place that turns a failure into an answer. */
export function rescue(kind: FailureKind, { detail, allow = [], retryAfterSeconds = 0 }: Rescue): Answer {
  const answer = refuse(kind, { detail });
  if (allow.length > 0) answer.headers.set("Allow", [...new Set(allow)].join(", "));
  if (retryAfterSeconds > 0) answer.headers.set("Retry-After", String(retryAfterSeconds));
  return answer;
}

/** Writes an answer that no upstream gave. An answer to HEAD has no body. */
export function writeOwnAnswer(answer: Answer, isHead: boolean, answering: Answering): string {
  const { status, headers } = answer;
  const body = bodyOf(answer, answering.requestId);
  return (
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\n${headers.writeChanges()}` +
    (status === 204 || status === 304 ? "" : `Content-Length: ${body.length}\r\n`) +
    answering.dateLine +
    connectionField(answering) +
    `X-Request-ID: ${answering.requestId}\r\n\r\n` +
    (isHead || status === 204 || status === 304 ? "" : body.toString("latin1"))
  );
}

function bodyOf({ failure, detail, body }: Answer, requestId: string): Buffer {
  if (failure === undefined) return Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const { code, status, message } = FAILURES[failure];
  const shown = detail === undefined ? message : `${message.slice(0, -1)}: ${detail}.`;
  return Buffer.from(`${JSON.stringify({ code, status, message: shown, request_id: requestId })}\n`);
}
