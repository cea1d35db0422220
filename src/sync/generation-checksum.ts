import { formatHash, xxhash64 } from "../config/state-hash.ts";

export interface GenerationName {
  readonly root: number;
  readonly epoch: string;
  readonly version: number;
  readonly hash: string;
}

/** Over everything of a row that says what it holds: a disk may change any of it. */
export function checksumOf({ root, epoch, version, hash }: GenerationName, content: Uint8Array): string {
  const name = Buffer.from(JSON.stringify([root, epoch, version, hash]));
  return formatHash(xxhash64(Buffer.concat([name, content])));
}
