import type { PostgresServer } from "../../test/support/postgres-server.ts";

/** What a trial works with and how large it is. */
export interface Setting {
  readonly server: PostgresServer;
  /** Commits of many writers at once. */
  readonly commits: number;
  /** Changes that are timed, one after the other. */
  readonly changes: number;
  /** How often a control plane is killed. */
  readonly kills: number;
  /** How long a control plane stands still. */
  readonly stoppedSeconds: number;
  /** How long the database is away. */
  readonly awaySeconds: number;
  readonly signal: AbortSignal;
}

/** One thing that is promised, whether it held, and the numbers behind it. */
export interface Finding {
  readonly claim: string;
  readonly holds: boolean;
  readonly measured: object;
}

export type Trial = (setting: Setting) => Promise<Finding[]>;
