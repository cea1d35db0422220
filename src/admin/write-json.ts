// In the language since ES2026; the compiler's library does not know it yet.
const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown };

/**
 * JSON in which a bigint is a bare integer, however long: that is how the cluster contract prints 64-bit hashes. Readers that
 * keep numbers as doubles lose digits, so each such field has a hexadecimal twin.
 */
export function writeJson(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => (typeof part === "bigint" ? rawJSON(String(part)) : part));
}

/** RFC 3339, or null for a time that has not been. */
export function timestamp(ms: number | undefined): string | null {
  return ms === undefined ? null : new Date(ms).toISOString();
}
