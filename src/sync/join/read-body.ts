import type { IncomingMessage } from "node:http";
import { MAX_JOIN_BYTES } from "./protocol.ts";

/** Whoever is at the other end has not shown who it is. @returns undefined where it says more than either side has to */
export async function readBody(message: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of message as AsyncIterable<Buffer>) {
    bytes += chunk.byteLength;
    if (bytes > MAX_JOIN_BYTES) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
