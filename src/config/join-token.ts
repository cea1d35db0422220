import { createHash, randomBytes } from "node:crypto";

/*
 * A join token is `rwj_<secret>.<authority>`: 256 random bits, and the SHA-256 of the authority that signed the control plane's
 * certificate, by which a node that trusts nothing yet knows whom it speaks to before it shows the secret. Both base64url.
 */

/** Begins every secret, so that scanners of repositories and logs recognise one. */
const PREFIX = "rwj_";
const TOKEN = /^(rwj_[\w-]{43})\.([\w-]{43})$/;

export interface ReadJoinToken {
  readonly secret: string;
  /** SHA-256 of the authority's certificate (DER), hexadecimal. */
  readonly authority: string;
}

export function createJoinSecret(): string {
  return PREFIX + randomBytes(32).toString("base64url");
}

export function formatJoinToken({ secret, authority }: ReadJoinToken): string {
  return `${secret}.${Buffer.from(authority, "hex").toString("base64url")}`;
}

/** Undefined for a text that is no join token. */
export function parseJoinToken(text: string): ReadJoinToken | undefined {
  const [, secret, authority] = TOKEN.exec(text.trim()) ?? [];
  if (secret === undefined || authority === undefined) return undefined;
  return { secret, authority: Buffer.from(authority, "base64url").toString("hex") };
}

/** What is kept of a secret. It is long and random, so nothing slower is needed (docs/decisions/0011-admin-tokens.md). */
export function hashJoinSecret(secret: string): string {
  return createHash("sha256").update(secret).digest("hex");
}
