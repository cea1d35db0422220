import { FAILURES, type FailureKind } from "../../../core/failure.ts";
import type { FieldLines } from "../../../http/field-lines.ts";
import { type Answering, connectionField } from "../forwarded-response.ts";
import { isGrpc } from "./grpc-call.ts";
import { GrpcWebCall } from "./grpc-web-call.ts";

/** The official way from an HTTP status to one of gRPC (grpc/doc/http-grpc-status-mapping.md). */
const BY_HTTP_STATUS: Readonly<Record<number, number>> = {
  400: 13, // INTERNAL
  401: 16, // UNAUTHENTICATED
  403: 7, // PERMISSION_DENIED
  404: 12, // UNIMPLEMENTED
  429: 14, // UNAVAILABLE
  502: 14,
  503: 14,
  504: 14,
};
const UNKNOWN = 2;
/** What says more than its HTTP status: CANCELLED, DEADLINE_EXCEEDED, and RESOURCE_EXHAUSTED for a message that is too large. */
const BY_KIND: Partial<Readonly<Record<FailureKind, number>>> = {
  clientClosed: 1,
  deadlineExceeded: 4,
  bodyTooLarge: 8,
};

export function grpcStatusOf(kind: FailureKind): number {
  return BY_KIND[kind] ?? BY_HTTP_STATUS[FAILURES[kind].status] ?? UNKNOWN;
}

/**
 * The lines that tell a caller of gRPC how its call failed.
 * @param detail a clause that may be shown to it
 */
export function grpcStatusLines(kind: FailureKind, detail: string | undefined): string {
  const { code, message } = FAILURES[kind];
  const text = detail === undefined ? message : `${message.slice(0, -1)}: ${detail}.`;
  return `grpc-status: ${grpcStatusOf(kind)}\r\ngrpc-message: ${percentEncoded(`${code}: ${text}`)}\r\n`;
}

/** An answer that is nothing but its end ("trailers-only"): for gRPC a call that failed is an HTTP exchange that did not. */
function writeGrpcFailure(kind: FailureKind, detail: string | undefined, answering: Answering): string {
  return (
    "HTTP/1.1 200 OK\r\nContent-Type: application/grpc\r\nContent-Length: 0\r\n" +
    grpcStatusLines(kind, detail) +
    answering.dateLine +
    connectionField(answering) +
    `X-Request-ID: ${answering.requestId}\r\n\r\n`
  );
}

/** The same for gRPC-Web, in the body: browsers show the fields of a head to a page of another origin only where CORS says so. */
function writeGrpcWebFailure(call: GrpcWebCall, kind: FailureKind, detail: string | undefined, answering: Answering) {
  const body = call.end(grpcStatusLines(kind, detail));
  return (
    `HTTP/1.1 200 OK\r\nContent-Type: ${call.answerType(call.targetType)}\r\nContent-Length: ${body.length}\r\n` +
    answering.dateLine +
    connectionField(answering) +
    `X-Request-ID: ${answering.requestId}\r\n\r\n${body.toString("latin1")}`
  );
}

/** What a caller is told of a failure; undefined when the request is no call of gRPC. */
export function writeCallFailure(
  fields: FieldLines,
  kind: FailureKind,
  detail: string | undefined,
  answering: Answering,
): string | undefined {
  if (isGrpc(fields)) return writeGrpcFailure(kind, detail, answering);
  const call = GrpcWebCall.of(fields);
  return call && writeGrpcWebFailure(call, kind, detail, answering);
}

function percentEncoded(text: string): string {
  return text.replace(/[^ -$&-~]/g, encodeURIComponent);
}
