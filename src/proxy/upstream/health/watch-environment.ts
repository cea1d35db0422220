import type { Clock } from "../../../core/clock.ts";
import type { CompiledUpstreamTls } from "../../tls/compiled-upstream-tls.ts";

/** What whoever watches targets shares. */
export interface WatchEnvironment {
  readonly clock: Clock;
  /** From 0 to below 1. */
  readonly random: () => number;
  /** How https targets are spoken to now. */
  readonly tls: () => CompiledUpstreamTls;
}
