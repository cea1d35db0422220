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

export interface CommitRequest {
  /** The whole state, valid and in any order. Its specs are frozen. */
  readonly resources: readonly Resource[];
  readonly author: string;
  readonly source: RevisionSource;
  readonly message: string;
  /** The version on which the author built; 0 when there was none. */
  readonly expectedVersion?: number;
  /** Answers as if it were committed, and leaves everything as it was. */
  readonly dryRun?: boolean;
}

export interface CommitResult {
  /** The version that holds the state: a new one, or the current one when nothing had to be made. */
  readonly revision: Revision;
  /** What the new version changes, in canonical order. */
  readonly changes: readonly Change[];
  readonly created: boolean;
}

export interface HistoryPage {
  /** At most so many, from 1 to 1000. */
  readonly limit: number;
  /** Only versions below this one. */
  readonly before?: number;
}

/**
 * The port to the log of all versions. Versions count from 1 without gaps and are in the order of their commits; a
 * commit is whole or not there, and is on the disk when its promise resolves. Every method rejects with a RunwayError
 * `storeUnavailable` that says what to do when the store cannot be used.
 */
export interface RevisionLog {
  /** Opens the store, making it when there is none. Answers its epoch, which is made once and kept for good. */
  open(): Promise<string>;
  close(): Promise<void>;
  /** The newest version; undefined before the first commit. */
  head(): Promise<Revision | undefined>;
  get(version: number): Promise<Revision | undefined>;
  /** Newest first. */
  history(page: HistoryPage): Promise<RevisionSummary[]>;
  /**
   * Makes the next version, unless the state is that of the newest one. A commit whose source is `init` or `file` makes
   * none either when the state is what the file held last time: so a file that nobody touched never undoes what came
   * over the admin API since.
   * @throws RunwayError `versionConflict` when `expectedVersion` is not the newest version.
   */
  commit(request: CommitRequest): Promise<CommitResult>;
  /** The hash of the state that last came from the file, also when it made no version. */
  lastFromFile(): Promise<bigint | undefined>;
}
