import { STATUS_CODES } from "node:http";
import type { BodyFraming } from "../../http/body-reader.ts";
import { FIELD } from "../../http/known-field.ts";
import type { ResponseParser } from "../../http/response-parser.ts";
import type { ResponseContext } from "../../sdk/response-context.ts";
import { droppedFields, trailerField, upgradeFields, writeFields } from "./forwarded-request.ts";

const DROPPED = droppedFields(FIELD.xRequestId);

/** What of an answer depends on the client. */
export interface Answering {
  /** The client's HTTP/1 minor version. */
  readonly minorVersion: number;
  /** Whether the connection is kept for another request. */
  readonly keepAlive: boolean;
  readonly requestId: string;
  readonly dateLine: string;
}

/** The Connection field of an answer: HTTP/1.1 keeps connections unless told otherwise, HTTP/1.0 closes them. */
export function connectionField({ minorVersion, keepAlive }: Pick<Answering, "minorVersion" | "keepAlive">): string {
  if (!keepAlive) return "Connection: close\r\n";
  return minorVersion === 0 ? "Connection: keep-alive\r\n" : "";
}

/** The head that the client gets, written anew. */
export function writeForwardedResponse(
  response: ResponseParser,
  framing: BodyFraming,
  answering: Answering,
  takesTrailers: boolean,
  edited: ResponseContext | undefined,
  lines: string,
): string {
  return (
    statusLine(response, edited) +
    writeFields(response.fields, DROPPED, response.nominated, edited?.headers) +
    lines +
    (response.fields.indexOf(FIELD.date) < 0 ? answering.dateLine : "") +
    framingField(response, framing) +
    (takesTrailers ? trailerField(response.fields) : "") +
    connectionField(answering) +
    `X-Request-ID: ${answering.requestId}\r\n\r\n`
  );
}

function statusLine({ status, reasonPhrase }: ResponseParser, edited: ResponseContext | undefined): string {
  if (edited === undefined || edited.status === status) return `HTTP/1.1 ${status} ${reasonPhrase}\r\n`;
  return `HTTP/1.1 ${edited.status} ${STATUS_CODES[edited.status] ?? ""}\r\n`;
}

/** A 204 of the gateway's own. */
export function writeEmptyAnswer(answering: Answering): string {
  return (
    `HTTP/1.1 204 No Content\r\n${answering.dateLine}${connectionField(answering)}` +
    `X-Request-ID: ${answering.requestId}\r\n\r\n`
  );
}

/** A 1xx head, which has neither body nor a say about the connection. */
export function writeInterimResponse(response: ResponseParser): string {
  return `HTTP/1.1 ${response.status} ${response.reasonPhrase}\r\n${response.fields.write(DROPPED, response.nominated)}\r\n`;
}

/** The 101 that makes a tunnel of the connection. */
export function writeUpgradeResponse(
  { fields, nominated, reasonPhrase }: ResponseParser,
  upgrade: string,
  requestId: string,
): string {
  return (
    `HTTP/1.1 101 ${reasonPhrase}\r\n${fields.write(DROPPED, nominated)}` +
    `${upgradeFields(upgrade)}X-Request-ID: ${requestId}\r\n\r\n`
  );
}

/** An answer to HEAD and a 304 tell the length that there would be (RFC 9110 §8.6); a 204 has none. */
function framingField({ status, contentLength, chunked }: ResponseParser, framing: BodyFraming): string {
  if (framing === "chunked") return "Transfer-Encoding: chunked\r\n";
  if (framing === "until-close") return "";
  return contentLength >= 0 && !chunked && status !== 204 ? `Content-Length: ${contentLength}\r\n` : "";
}
