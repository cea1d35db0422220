import type { FieldLines } from "../../http/field-lines.ts";
import { FIELD, FIELD_COUNT, type FieldId } from "../../http/known-field.ts";
import type { RequestParser } from "../../http/request-parser.ts";
import { announcedTrailers, takesTrailers } from "../../http/trailers.ts";
import type { HeaderFields } from "../../sdk/header-fields.ts";

/** Fields that are for one hop only (RFC 9110 §7.6.1), and those that frame the message, which we write ourselves. */
const HOP_BY_HOP: readonly FieldId[] = [
  FIELD.connection,
  FIELD.contentLength,
  FIELD.transferEncoding,
  FIELD.upgrade,
  FIELD.keepAlive,
  FIELD.proxyConnection,
  FIELD.te,
  FIELD.trailer,
  FIELD.proxyAuthenticate,
  FIELD.proxyAuthorization,
];

/** The table of fields that `FieldLines.write` leaves out. */
export function droppedFields(...more: readonly FieldId[]): Uint8Array {
  const dropped = new Uint8Array(FIELD_COUNT);
  for (const id of [...HOP_BY_HOP, ...more]) dropped[id] = 1;
  return dropped;
}

const REWRITTEN = [
  FIELD.host,
  FIELD.expect,
  FIELD.xForwardedFor,
  FIELD.xForwardedProto,
  FIELD.xForwardedHost,
  FIELD.xRequestId,
] as const;
const DROPPED = droppedFields(...REWRITTEN);
/** What a stranger says about those before it is believed in no spelling (RFC 7239 §8.1). */
const DROPPED_OF_STRANGERS = droppedFields(...REWRITTEN, FIELD.forwarded);

/** The head of a request as it is sent on. */
export type ForwardedHead = Pick<
  RequestParser,
  "method" | "host" | "fields" | "nominated" | "chunked" | "contentLength" | "expectsContinue"
>;

/** What of a forwarded request is not the client's own. */
export interface Forwarding {
  /** The protocol that it asks to switch to, if any. */
  readonly upgrade: string | undefined;
  /** Path and query. */
  readonly target: string;
  /** Host and port of the upstream's target. */
  readonly authority: string;
  readonly requestId: string;
  readonly peer: string;
  /** How the client came. */
  readonly scheme: "http" | "https";
  /** Whether what the peer says about those before it is believed. */
  readonly isPeerTrusted: boolean;
  /** What plugins changed, if they run here. */
  readonly edited: HeaderFields | undefined;
  /** Whether a call of gRPC-Web goes on as one of gRPC: its body may have another length, and trailers are taken. */
  readonly isGrpcWeb: boolean;
}

/** The head that is sent upstream, written anew. */
export function writeForwardedRequest(request: ForwardedHead, forwarding: Forwarding): string {
  const { fields } = request;
  const framing = forwarding.isGrpcWeb
    ? ""
    : request.chunked
      ? "Transfer-Encoding: chunked\r\n"
      : request.contentLength >= 0
        ? `Content-Length: ${request.contentLength}\r\n`
        : "";
  return (
    `${request.method} ${forwarding.target} HTTP/1.1\r\nHost: ${forwarding.authority}\r\n` +
    writeFields(
      fields,
      forwarding.isPeerTrusted ? DROPPED : DROPPED_OF_STRANGERS,
      request.nominated,
      forwarding.edited,
    ) +
    framing +
    (request.expectsContinue ? "Expect: 100-continue\r\n" : "") +
    (request.chunked ? trailerField(fields) : "") +
    (forwarding.upgrade === undefined
      ? trailersOption(fields, forwarding.isGrpcWeb)
      : upgradeFields(forwarding.upgrade)) +
    forwardedFields(request, forwarding) +
    `X-Request-ID: ${forwarding.requestId}\r\n\r\n`
  );
}

/** The lines of a received head written anew, with the changes of plugins at the end. */
export function writeFields(
  fields: FieldLines,
  dropped: Uint8Array,
  nominated: readonly string[] | undefined,
  edited: HeaderFields | undefined,
): string {
  if (edited === undefined) return fields.write(dropped, nominated);
  return fields.write(dropped, nominated, edited.changes) + edited.writeChanges();
}

/** Names the fields that may come behind the body, where the head did. */
export function trailerField(fields: FieldLines): string {
  const names = announcedTrailers(fields);
  return names === undefined ? "" : `Trailer: ${names.join(", ")}\r\n`;
}

/** Says that a client takes fields behind the body, which is about one hop at a time (RFC 9110 §10.1.4). */
function trailersOption(fields: FieldLines, isGrpcWeb: boolean): string {
  return isGrpcWeb || takesTrailers(fields) ? "Connection: TE\r\nTE: trailers\r\n" : "";
}

/** What asks for a switch of protocols, or agrees to it, on one hop. */
export function upgradeFields(upgrade: string): string {
  return `Connection: Upgrade\r\nUpgrade: ${upgrade}\r\n`;
}

function forwardedFields({ fields, host }: ForwardedHead, { peer, scheme, isPeerTrusted }: Forwarding): string {
  const hostLine = host === "" ? "" : `X-Forwarded-Host: ${host}\r\n`;
  if (!isPeerTrusted) return `X-Forwarded-For: ${peer}\r\nX-Forwarded-Proto: ${scheme}\r\n${hostLine}`;
  const before = fields.joined(FIELD.xForwardedFor);
  const proto = fields.joined(FIELD.xForwardedProto) ?? scheme;
  const toldHost = fields.joined(FIELD.xForwardedHost);
  return (
    `X-Forwarded-For: ${before === undefined ? "" : `${before}, `}${peer}\r\nX-Forwarded-Proto: ${proto}\r\n` +
    (toldHost === undefined ? hostLine : `X-Forwarded-Host: ${toldHost}\r\n`)
  );
}
