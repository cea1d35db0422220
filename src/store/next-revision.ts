import { createHash } from "node:crypto";
import type { AuditRecord } from "../config/audit-log.ts";
import { applyDelta, type Delta, deltaBetween, type EffectiveDelta, effectiveDelta } from "../config/delta.ts";
import { describeChange } from "../config/difference.ts";
import { canonicalJson } from "../config/json.ts";
import type { CommitRequest, CommitResult, Revision, RevisionSummary } from "../config/revision-log.ts";
import { freezeResource } from "../config/snapshot.ts";
import { adjustStateHash, resourceHash } from "../config/state-hash.ts";
import { RunwayError } from "../core/failure.ts";
import { storedText } from "./stored-text.ts";

/** What a commit comes to, worked out before anything is written. */
export interface PlannedCommit extends CommitResult {
  /** The hash of the state that came from the file; undefined when it came from elsewhere. */
  readonly fileHash: bigint | undefined;
}

export interface CommitBase {
  readonly epoch: string;
  /** The newest version, which no other writer can follow meanwhile. */
  readonly head: Revision | undefined;
  /** What the file held last time. */
  readonly lastFromFile: bigint | undefined;
  /** Milliseconds since 1970. */
  readonly now: number;
}

const NO_CHANGE: EffectiveDelta = { upserts: [], removals: [], changes: [], replaced: [] };

/** @throws RunwayError `versionConflict` */
export function planCommit(base: CommitBase, request: CommitRequest): PlannedCommit {
  const { head, lastFromFile } = base;
  expectVersion(head, request.expectedVersion);
  const delta = deltaOf(head, request);
  const hash = hashAfter(head?.hash ?? 0n, delta);
  const fileHash = request.source === "admin-api" ? undefined : hash;
  const isSame = delta.changes.length === 0 || (fileHash !== undefined && fileHash === lastFromFile);
  if (head !== undefined && isSame)
    return { revision: head, changes: [], delta: NO_CHANGE, from: head.hash, created: false, fileHash };
  const version = (head?.version ?? 0) + 1;
  const who = { author: storedText(request.author), source: request.source, message: storedText(request.message) };
  const summary = { epoch: base.epoch, version, hash, ...who, committedAt: base.now };
  const { changes } = delta;
  return {
    revision: revisionOf(summary, head, delta),
    changes,
    delta,
    from: head?.hash ?? 0n,
    created: true,
    fileHash,
  };
}

/** The version that `summary` speaks of, reached from the one before; undefined when that does not give its hash. */
export function followRevision(
  head: Revision | undefined,
  summary: RevisionSummary,
  delta: EffectiveDelta,
): Revision | undefined {
  return hashAfter(head?.hash ?? 0n, delta) === summary.hash ? revisionOf(summary, head, delta) : undefined;
}

/** The entry that a version has in the audit log. A large change is listed to a limit; its digest covers all of it. */
export function auditOfCommit({ revision, changes, delta }: CommitResult): AuditRecord {
  const { author, source, message, version, hash } = revision;
  const detail = {
    version,
    hash: hash.toString(16).padStart(16, "0"),
    source,
    message,
    changes: changes.slice(0, MAX_LISTED).map(describeChange),
    changes_total: changes.length,
    content_sha256: digest(delta),
  };
  return { author, action: "configuration.commit", detail };
}

const MAX_LISTED = 100;

function deltaOf(head: Revision | undefined, { resources, delta }: CommitRequest): EffectiveDelta {
  const before = head?.resources ?? [];
  const after = resources === undefined ? effectiveDelta(before, delta) : deltaBetween(before, resources);
  return { ...after, upserts: after.upserts.map(freezeResource) };
}

function hashAfter(before: bigint, { replaced, upserts }: EffectiveDelta): bigint {
  return adjustStateHash(before, replaced.map(resourceHash), upserts.map(resourceHash));
}

function revisionOf(summary: RevisionSummary, head: Revision | undefined, delta: Delta): Revision {
  return Object.freeze({ ...summary, resources: applyDelta(head?.resources ?? [], delta) });
}

function digest({ upserts, removals }: Delta): string {
  const hash = createHash("sha256");
  for (const { kind, id, spec } of upserts) hash.update(`${canonicalJson([kind, id, spec])}\n`);
  for (const { kind, id } of removals) hash.update(`${canonicalJson([kind, id])}\n`);
  return hash.digest("hex");
}

function expectVersion(head: Revision | undefined, expected: number | undefined): void {
  const version = head?.version ?? 0;
  if (expected === undefined || expected === version) return;
  throw new RunwayError(
    "versionConflict",
    `The configuration is at version ${version}, not ${expected}; read it again.`,
  );
}
