import type { HostRequest, HostResponse } from "../../sdk/plugin-host.ts";

const DEFAULT_TIMEOUT_MS = 5_000;
const DEFAULT_MAX_BYTES = 1_048_576;

/** What a plugin asks of another service. Redirects are not followed: they would lead where nobody has allowed it to go. */
export async function hostFetch(url: string, request: HostRequest = {}): Promise<HostResponse> {
  const { method = "GET", headers = {}, body, timeoutMs = DEFAULT_TIMEOUT_MS, maxBytes = DEFAULT_MAX_BYTES } = request;
  const response = await fetch(url, {
    method,
    headers: { ...headers },
    redirect: "manual",
    signal: AbortSignal.timeout(timeoutMs),
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : new Uint8Array(body) }),
  });
  return {
    status: response.status,
    headers: new Map(response.headers),
    body: await readBody(response, maxBytes),
  };
}

async function readBody({ body }: Response, maxBytes: number): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of body ?? []) {
    size += piece.length;
    if (size > maxBytes) throw new Error(`the answer has more than ${maxBytes} bytes`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}
