import { FAILURES, type FailureKind } from "../core/failure.ts";
import { HeaderFields, NO_FIELDS } from "./header-fields.ts";

/** A copy of this module elsewhere makes answers that are understood too. */
const BRAND = Symbol.for("runway.sdk.answer");

/** Several values are several lines. */
export type AnswerHeaders = Readonly<Record<string, string | readonly string[]>>;

/** What is answered in place of an upstream. */
export interface Answer {
  readonly [BRAND]: true;
  readonly status: number;
  readonly headers: HeaderFields;
  readonly body: Uint8Array;
  /** For a refusal: the row of the table of failures, which gives the body. */
  readonly failure: FailureKind | undefined;
  /** A clause about what is wrong with the request, safe to be shown. */
  readonly detail: string | undefined;
}

export interface AnswerOptions {
  readonly headers?: AnswerHeaders;
  /** Text is sent as UTF-8, and as text/plain unless `headers` say otherwise. */
  readonly body?: string | Uint8Array;
  /** Sent as application/json, instead of `body`. */
  readonly json?: unknown;
}

const NOTHING = new Uint8Array(0);

/** An answer of one's own. @throws TypeError for a status or a header that cannot be sent */
export function answer(status: number, { headers = {}, body, json }: AnswerOptions = {}): Answer {
  if (!Number.isInteger(status) || status < 200 || status > 599)
    throw new TypeError(`${status} is not a status from 200 to 599`);
  const content = json === undefined ? body : `${JSON.stringify(json)}\n`;
  const fields = fieldsOf(headers);
  if (typeof content === "string" && !fields.has("content-type"))
    fields.set("Content-Type", json === undefined ? "text/plain; charset=utf-8" : "application/json");
  const octets = typeof content === "string" ? Buffer.from(content) : (content ?? NOTHING);
  return { [BRAND]: true, status, headers: fields, body: octets, failure: undefined, detail: undefined };
}

/** An answer that is a failure of the house's table: with its status and code, in the form that all failures have. */
export function refuse(
  failure: FailureKind,
  { headers = {}, detail }: { readonly headers?: AnswerHeaders; readonly detail?: string | undefined } = {},
): Answer {
  const fields = fieldsOf(headers);
  fields.set("Content-Type", "application/json");
  return { [BRAND]: true, status: FAILURES[failure].status, headers: fields, body: NOTHING, failure, detail };
}

export function isAnswer(value: unknown): value is Answer {
  return typeof value === "object" && value !== null && (value as Partial<Answer>)[BRAND] === true;
}

function fieldsOf(headers: AnswerHeaders): HeaderFields {
  const fields = new HeaderFields(NO_FIELDS);
  for (const [name, value] of Object.entries(headers))
    for (const line of typeof value === "string" ? [value] : value) fields.append(name, line);
  return fields;
}
