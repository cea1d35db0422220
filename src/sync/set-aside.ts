import type { Generation } from "./generation-store.ts";

/** A configuration that ended the process again and again; see node-cache.ts. */
export interface SetAside {
  readonly version: number;
  /** State hash. */
  readonly hash: bigint;
  readonly failures: number;
  /** When it may be tried again, in milliseconds since 1970. */
  readonly untilMs: number;
}

/** In a row. */
const MAX_FAILURES = 5;
const FIRST_PAUSE_MS = 300_000;
const MAX_PAUSE_MS = 3_600_000;

export function isTrusted({ failures }: Generation): boolean {
  return failures < MAX_FAILURES;
}

/** Undefined where it may be tried. A clock that was set back does not make the pause longer. */
export function setAsideOf(generation: Generation, nowMs: number): SetAside | undefined {
  if (isTrusted(generation)) return undefined;
  const { version, hash, failures, lastTriedMs } = generation;
  const untilMs = lastTriedMs + Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(failures - MAX_FAILURES, 30));
  return lastTriedMs <= nowMs && nowMs < untilMs ? { version, hash, failures, untilMs } : undefined;
}

export function describeSetAside({ version, failures, untilMs }: SetAside): string {
  return `version ${version} ended this process ${failures} times within a minute of going live; it is tried again after ${new Date(untilMs).toISOString()}`;
}
