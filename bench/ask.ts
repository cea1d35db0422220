import { once } from "node:events";
import { type IncomingMessage, request as requestPlain } from "node:http";
import { request as requestTls } from "node:https";
import { text } from "node:stream/consumers";

/** What a server answered. */
export interface Answer {
  readonly status: number;
  readonly body: string;
}

export interface Question {
  readonly signal: AbortSignal;
  /** With a body it is a POST of YAML, unless `method` says otherwise. */
  readonly body?: string;
  /** With JSON as the body. */
  readonly method?: "PATCH";
  /** For the whole answer. */
  readonly timeoutMs?: number;
}

/**
 * Asks over a connection of its own. Any certificate will do, as for the generators: what is measured is no stranger.
 *
 * @throws Error when nobody answers in time. A status that reports a failure is an answer like any other.
 */
export async function ask(url: string, { signal, body, method, timeoutMs = 5_000 }: Question): Promise<Answer> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  const request = url.startsWith("https:") ? requestTls : requestPlain;
  const type = method === undefined ? "application/yaml" : "application/json";
  const post = body === undefined ? {} : { method: method ?? "POST", headers: { "content-type": type } };
  const asked = request(url, { ...post, agent: false, rejectUnauthorized: false, signal: limit });
  asked.end(body);
  const [response] = (await once(asked, "response", { signal: limit })) as [IncomingMessage];
  return { status: response.statusCode ?? 0, body: await text(response) };
}
