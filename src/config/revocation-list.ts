/**
 * What is refused: one certificate, by its serial number or by the SHA-256 of its DER (both as lower-case hexadecimal digits, the
 * number without leading zeros), or a node, and with it each certificate for it that began before it was revoked.
 */
export const REVOKED_KINDS = ["serial", "fingerprint", "node"] as const;
export type RevokedKind = (typeof REVOKED_KINDS)[number];

export interface Revocation {
  readonly kind: RevokedKind;
  readonly value: string;
  readonly reason: string;
  /** Times are milliseconds since 1970. */
  readonly revokedAt: number;
  readonly revokedBy: string;
  /** When the certificate ends by itself, where that is known; the revocation is forgotten soon after. */
  readonly expiresAt?: number;
}

/** The port to what was revoked. Each change has its entry in the audit log, in the same transaction. */
export interface RevocationList {
  /**
   * All of them or none. What is revoked already is so anew, from now on.
   * @throws RunwayError `overloaded` when there are as many as are kept
   */
  add(revocations: readonly Revocation[]): Promise<void>;
  /** Accepts again what was revoked. Answers whether it was. */
  lift(kind: RevokedKind, value: string, by: string): Promise<boolean>;
  /** Newest first. */
  list(): Promise<readonly Revocation[]>;
  /** Another number after each change: whoever polls asks for this alone. */
  mark(): Promise<number>;
}

export const MAX_REVOCATIONS = 10_000;
/** For clocks that go slow: how long a revocation outlives its certificate. */
export const REVOCATION_MEMORY_MS = 86_400_000;

/** A serial number or a fingerprint as it is written here; undefined for what is neither. Colons may stand between. */
export function normalizeSerial(text: string): string | undefined {
  const digits = text
    .replaceAll(":", "")
    .toLowerCase()
    .replace(/^0+(?=.)/, "");
  return /^[0-9a-f]{1,40}$/.test(digits) ? digits : undefined;
}

export function normalizeFingerprint(text: string): string | undefined {
  const digits = text.replaceAll(":", "").toLowerCase();
  return /^[0-9a-f]{64}$/.test(digits) ? digits : undefined;
}
