import { createHash, randomBytes } from "node:crypto";

/** Begins every secret, so that scanners of repositories and logs recognise one. */
const PREFIX = "rwy_";
/** 256 bits. Nobody guesses one of these, so a fast hash of it may be kept: see docs/decisions/0011-admin-tokens.md. */
const RANDOM_BYTES = 32;
const MAX_CHARACTERS = 256;

export function createSecret(): string {
  return PREFIX + randomBytes(RANDOM_BYTES).toString("base64url");
}

/** What is kept of a secret; undefined for a text that cannot be one. */
export function hashSecret(secret: string): string | undefined {
  if (!secret.startsWith(PREFIX) || secret.length > MAX_CHARACTERS) return undefined;
  return createHash("sha256").update(secret).digest("hex");
}
