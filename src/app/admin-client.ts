import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { text as readText } from "node:stream/consumers";
import { z } from "zod";
import { describeProblem } from "../config/problem.ts";
import { CommandError } from "./command-error.ts";
import type { ExitReason } from "./exit-codes.ts";

const DEFAULT_TIMEOUT_MS = 10_000;

const Problem = z.object({
  path: z.string(),
  message: z.string(),
  line: z.int().optional(),
  kind: z.string().optional(),
  id: z.string().optional(),
});
const ProblemDocument = z.object({
  title: z.string(),
  detail: z.string().optional(),
  problems: z.array(Problem).default([]),
});

export interface AdminReply {
  readonly status: number;
  /** As it was sent: what `--json` hands on, with every digit of a 64-bit hash. */
  readonly text: string;
  /** @throws CommandError when it is not what runway answers. */
  parse<T extends z.ZodType>(schema: T): z.output<T>;
}

export interface AdminRequestOptions {
  readonly method?: "GET" | "POST" | "PUT" | "DELETE";
  readonly body?: string;
  readonly contentType?: string;
  /** The ETag that the request depends on. */
  readonly ifMatch?: string | undefined;
  /** How long the whole exchange may take; 10 s. */
  readonly timeoutMs?: number;
  /** Statuses besides 2xx that are answers and not errors. */
  readonly accept?: readonly number[];
}

/** How the client shows who it is, and whom it believes; PEM. */
export interface AdminCredentials {
  readonly token?: string | undefined;
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

/** Asks a node's admin API. Whatever goes wrong is a CommandError that says what to do. */
export class AdminClient {
  readonly #base: string;
  readonly #credentials: AdminCredentials;

  constructor(base: string, credentials: AdminCredentials = {}) {
    if (!/^https?:$/.test(URL.parse(base)?.protocol ?? ""))
      throw new CommandError(
        "usage",
        `${JSON.stringify(base)} is not the URL of an admin API, such as http://127.0.0.1:8081`,
      );
    this.#base = base.replace(/\/+$/, "");
    this.#credentials = credentials;
  }

  async request(path: string, options: AdminRequestOptions = {}): Promise<AdminReply> {
    const { accept = [] } = options;
    const { status, text } = await this.#exchange(path, options);
    if ((status < 200 || status > 299) && !accept.includes(status)) throw this.#refusal(path, status, text);
    return { status, text, parse: (schema) => this.#parse(schema, text) };
  }

  async #exchange(path: string, options: AdminRequestOptions): Promise<{ status: number; text: string }> {
    try {
      const response = await this.#send(path, options);
      return { status: response.statusCode!, text: await readText(response) };
    } catch (error) {
      const reason = reasonOf(error);
      const message = `The admin API at ${this.#base} cannot be reached (${reason}). ${adviceFor(reason, this.#base)}`;
      throw new CommandError("unreachable", message, { cause: error });
    }
  }

  /** Not `fetch`, which cannot be given an authority of certificates. */
  #send(path: string, options: AdminRequestOptions): Promise<IncomingMessage> {
    const { method = "GET", body, contentType = "application/yaml", ifMatch, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
    const { token, ca, cert, key } = this.#credentials;
    const headers = {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(ifMatch === undefined ? {} : { "if-match": ifMatch }),
      ...(body === undefined ? {} : { "content-type": contentType, "content-length": Buffer.byteLength(body) }),
    };
    const send = this.#base.startsWith("https:") ? httpsRequest : httpRequest;
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const signal = AbortSignal.timeout(timeoutMs);
    send(this.#base + path, { method, headers, ca, cert, key, signal }, resolve)
      .on("error", (error) => reject(signal.aborted ? signal.reason : error))
      .end(body);
    return promise;
  }

  #refusal(path: string, status: number, text: string): CommandError {
    const document = ProblemDocument.safeParse(jsonOrUndefined(text));
    if (!document.success)
      return new CommandError("failed", `${this.#base}${path} answered ${status}: ${text.slice(0, 500)}`);
    const { title, detail, problems } = document.data;
    const lines = [
      detail === undefined ? title : `${title} ${detail}`,
      ...problems.map((problem) => `  ${plain(problem)}`),
    ];
    return new CommandError(exitReason(status, problems.length), lines.join("\n"));
  }

  #parse<T extends z.ZodType>(schema: T, text: string): z.output<T> {
    const result = schema.safeParse(jsonOrUndefined(text));
    if (result.success) return result.data;
    throw new CommandError(
      "failed",
      `What answers at ${this.#base} does not speak like the admin API of runway. Is the address right?`,
    );
  }
}

/** With a line the path says whose it is, unless there is none. */
function plain({ line, kind, id = "", ...problem }: z.output<typeof Problem>): string {
  if (line === undefined) return describeProblem({ ...problem, ...(kind === undefined ? {} : { kind, id }) });
  const text = describeProblem({ ...problem, line });
  return kind === undefined || problem.path !== "" ? text : `${kind}:${id}: ${text}`;
}

function exitReason(status: number, problems: number): ExitReason {
  if (status === 400 && problems > 0) return "invalid";
  return [401, 403, 409, 412, 422, 429].includes(status) ? "refused" : "failed";
}

function jsonOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** @param reason as `reasonOf` has it */
function adviceFor(reason: string, base: string): string {
  if (reason === "ERR_TLS_CERT_ALTNAME_INVALID") return "Its certificate is for another name: use one that is in it.";
  if (/^(?:CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_)/.test(reason))
    return "Its certificate is not trusted here: name its authority with --ca-file FILE or RUNWAY_CA_FILE.";
  if (reason === "EPROTO" || reason === "ERR_SSL_WRONG_VERSION_NUMBER" || reason === "ERR_SSL_PACKET_LENGTH_TOO_LONG")
    return `It does not speak TLS: try ${base.replace(/^https/, "http")}.`;
  const mayBeTls = base.startsWith("http:") && (reason === "ECONNRESET" || reason.startsWith("HPE_"));
  if (mayBeTls) return `It may speak TLS: try ${base.replace(/^http/, "https")}.`;
  return "Is runway running there? Name another address with --admin URL or RUNWAY_ADMIN_URL.";
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === "TimeoutError") return "no answer in time";
  if ("code" in error && typeof error.code === "string") return error.code;
  const { cause } = error;
  if (cause instanceof Error && "code" in cause) return String(cause.code);
  return cause instanceof Error ? cause.message : error.message;
}
