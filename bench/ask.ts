/** What a server answered. */
export interface Answer {
  readonly status: number;
  readonly body: string;
}

export interface Question {
  readonly signal: AbortSignal;
  /** With a body it is a POST. */
  readonly body?: string;
  /** For the whole answer. */
  readonly timeoutMs?: number;
}

/** @throws Error when nobody answers in time. A status that reports a failure is an answer like any other. */
export async function ask(url: string, { signal, body, timeoutMs = 5_000 }: Question): Promise<Answer> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  const post = body === undefined ? {} : { method: "POST", body, headers: { "content-type": "application/yaml" } };
  const response = await fetch(url, { ...post, signal: limit });
  return { status: response.status, body: await response.text() };
}
