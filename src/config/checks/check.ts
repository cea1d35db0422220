import type { Configuration } from "../configuration.ts";
import type { Language } from "../language.ts";
import type { Problem } from "../problem.ts";

/** Names that one can look for or go through. */
export interface Names extends Iterable<string> {
  has(name: string): boolean;
}

/**
 * What checks of meaning look at: every resource that has the right shape, in running form. `upstreamIds` names also the
 * upstreams whose shape is wrong, so that nothing is said to be missing that is there.
 */
interface CheckSubject extends Configuration {
  readonly upstreamIds: Names;
  /** What is known of plugins: who can authenticate, which upstreams blocks name, and by which keys consumers are found. */
  readonly language: Pick<Language, "authenticators" | "upstreamsNamedBy" | "keysOf">;
}

/**
 * One rule about what resources mean together. Pure; finds every breach. A rule that compares a resource with others of another kind or
 * name than route-index.ts gathers around a change has to be made known there.
 */
export type Check = (subject: CheckSubject) => Iterable<Problem>;

/** A problem of one resource; `path` is a path in its spec. */
export function problemOf(kind: string, id: string, path: string, message: string): Problem {
  return { kind, id, path, message };
}
