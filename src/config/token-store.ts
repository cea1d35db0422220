import type { AdminRole } from "./node-settings.ts";

/** A token of the admin API as it is kept: the secret itself is not. */
export interface Token {
  /** By which people speak of it. */
  readonly id: string;
  readonly name: string;
  readonly role: AdminRole;
  /** SHA-256 of the secret, hexadecimal. A secret is long and random, so nothing slower is needed. */
  readonly secretHash: string;
  /** Times are milliseconds since 1970. */
  readonly createdAt: number;
  readonly createdBy: string;
  readonly expiresAt?: number;
  readonly revokedAt?: number;
}

/**
 * The port to the tokens of the admin API. Each change has its entry in the audit log, in the same transaction. A token
 * that was revoked stays listed for a month, that people see what became of it; expired ones likewise.
 */
export interface TokenStore {
  /** @throws RunwayError `overloaded` when there are as many as are kept */
  add(token: Token): Promise<void>;
  /** Newest first. */
  list(): Promise<readonly Token[]>;
  /** Also one that has expired or was revoked. While the store cannot be reached, what was known last. */
  find(secretHash: string): Promise<Token | undefined>;
  /** Answers the token as it is now; undefined when there is none of this id. Revoking again changes nothing. */
  revoke(id: string, by: string): Promise<Token | undefined>;
}

export const MAX_TOKENS = 10_000;
/** How long a token is listed after it came to its end. */
export const TOKEN_MEMORY_MS = 30 * 86_400_000;
