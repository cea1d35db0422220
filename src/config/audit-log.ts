import { createHash } from "node:crypto";
import { canonicalJson, type JsonObject } from "./json.ts";

/**
 * What was done to a control plane, by whom and when, as a chain: each entry holds the hash of the one before, so that no
 * entry can be changed, taken out or put between without every later hash being wrong. Who wants to be sure that none
 * was cut off at the end keeps the newest hash elsewhere; an export does that.
 */
export interface AuditRecord {
  readonly author: string;
  /** What was done, `configuration.commit`, `token.create`. */
  readonly action: string;
  /** To what. Never a secret. */
  readonly detail: JsonObject;
}

export interface AuditEntry extends AuditRecord {
  /** From 1, without gaps. */
  readonly number: number;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** The hash of the entry before; 64 zeros in the first. */
  readonly previous: string;
  /** See `auditHash`. */
  readonly hash: string;
}

interface AuditPage {
  /** At most so many, from 1 to 1000. */
  readonly limit: number;
  /** Only entries above this number. */
  readonly after?: number;
}

export interface AuditLog {
  append(record: AuditRecord): Promise<AuditEntry>;
  /** Oldest first. */
  entries(page: AuditPage): Promise<AuditEntry[]>;
}

const FIRST_PREVIOUS = "0".repeat(64);

/** SHA-256 of the canonical JSON of everything else in the entry, as 64 hexadecimal digits. */
function auditHash({ number, at, author, action, detail, previous }: Omit<AuditEntry, "hash">): string {
  return createHash("sha256").update(canonicalJson({ number, at, author, action, detail, previous })).digest("hex");
}

/** The entry that follows `last`. */
export function nextAuditEntry(
  last: Pick<AuditEntry, "number" | "hash"> | undefined,
  { author, action, detail }: AuditRecord,
  at: number,
): AuditEntry {
  const previous = last?.hash ?? FIRST_PREVIOUS;
  const entry = { number: (last?.number ?? 0) + 1, at, author, action, detail, previous };
  return { ...entry, hash: auditHash(entry) };
}

/** Why `entry` cannot be what followed `before`; undefined when it can. */
function auditFault(before: AuditEntry | undefined, entry: AuditEntry): string | undefined {
  const number = (before?.number ?? 0) + 1;
  if (entry.number !== number) return `entry ${number} is missing`;
  if (entry.previous !== (before?.hash ?? FIRST_PREVIOUS)) return `entry ${number} does not follow the one before it`;
  if (entry.hash !== auditHash(entry)) return `entry ${number} was changed`;
  return undefined;
}

const PAGE = 1_000;

export type AuditVerdict =
  | { readonly ok: true; readonly entries: number; readonly newestHash: string }
  | { readonly ok: false; readonly fault: string };

/** Goes through the whole log, a page at a time. */
export async function verifyAudit(log: Pick<AuditLog, "entries">): Promise<AuditVerdict> {
  let last: AuditEntry | undefined;
  for (;;) {
    const page = await log.entries({ limit: PAGE, after: last?.number ?? 0 });
    for (const entry of page) {
      const fault = auditFault(last, entry);
      if (fault !== undefined) return { ok: false, fault };
      last = entry;
    }
    if (page.length < PAGE) return { ok: true, entries: last?.number ?? 0, newestHash: last?.hash ?? FIRST_PREVIOUS };
  }
}
