import type { Delta, EffectiveDelta } from "./delta.ts";
import type { Change } from "./difference.ts";
import type { Resource } from "./resource.ts";
import type { Snapshot } from "./snapshot.ts";

/** `init`: the file at the first start. `file`: the file at a later start or a reload. */
export type RevisionSource = "init" | "file" | "admin-api";

/** Who made a version, when and why. */
export interface RevisionSummary extends Omit<Snapshot, "resources"> {
  readonly author: string;
  readonly source: RevisionSource;
  /** What the author says about it; may be empty. */
  readonly message: string;
  /** Milliseconds since 1970. */
  readonly committedAt: number;
}

/** A version with its content: a snapshot and where it came from. */
export interface Revision extends RevisionSummary, Snapshot {}

/** What is committed: the whole state, or what changes of it. Valid, in any order. Specs that enter the log are frozen. */
export type CommitContent =
  | { readonly resources: readonly Resource[]; readonly delta?: undefined }
  | { readonly delta: Delta; readonly resources?: undefined };

export interface CommitTerms {
  readonly author: string;
  readonly source: RevisionSource;
  readonly message: string;
  /** The version on which the author built; 0 when there was none. */
  readonly expectedVersion?: number;
  /** Answers as if it were committed, and leaves everything as it was. */
  readonly dryRun?: boolean;
}

export type CommitRequest = CommitTerms & CommitContent;

export interface CommitResult {
  /** The version that holds the state: a new one, or the current one when nothing had to be made. */
  readonly revision: Revision;
  /** What the new version changes, in canonical order. */
  readonly changes: readonly Change[];
  /** The same with contents: what turns the version before into this one. */
  readonly delta: Delta;
  /** The state hash of the version before, from which `delta` leads; 0 when there was none. */
  readonly from: bigint;
  readonly created: boolean;
}

export interface HistoryPage {
  /** At most so many, from 1 to 1000. */
  readonly limit: number;
  /** Only versions below this one. */
  readonly before?: number;
}

/** Which versions may go. One is kept as long as any of these wants it; the newest always is. */
export interface Retention {
  /** The newest so many are kept. */
  readonly versions: number;
  /** Those younger than this are kept, in milliseconds. */
  readonly ageMs: number;
  /** This version and all after it are kept, since a node that lives may need what changed since. */
  readonly floor: number;
}

/**
 * The port to the log of all versions. Versions count from 1 without gaps and are in the order of their commits; a
 * commit is whole or not there, and is on the disk when its promise resolves. A commit costs what it changes, in time and
 * on the disk, whatever the size of the configuration. Every method rejects with a RunwayError `storeUnavailable` that
 * says what to do when the store cannot be used.
 */
export interface RevisionLog {
  /** The newest version; undefined before the first commit. */
  head(): Promise<Revision | undefined>;
  /** A version that is still kept. */
  get(version: number): Promise<Revision | undefined>;
  /** What turns one version into another, forwards or backwards; 0 is the state without resources. Costs what it answers. */
  delta(from: number, to: number): Promise<EffectiveDelta | undefined>;
  /** Newest first. */
  history(page: HistoryPage): Promise<RevisionSummary[]>;
  /**
   * Makes the next version, unless the state is that of the newest one. A commit whose source is `init` or `file` makes
   * none either when the state is what the file held last time: so a file that nobody touched never undoes what came
   * over the admin API since. Each version has its entry in the audit log.
   * @throws RunwayError `versionConflict` when `expectedVersion` is not the newest version.
   */
  commit(request: CommitRequest): Promise<CommitResult>;
  /** The hash of the state that last came from the file, also when it made no version. */
  lastFromFile(): Promise<bigint | undefined>;
  /** Forgets the oldest versions, as far as none of `retention` wants them. Answers how many went. */
  prune(retention: Retention): Promise<number>;
}
