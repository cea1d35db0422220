import type { CircuitState } from "../resilience/circuit-breaker.ts";
import type { CircuitWatch } from "../resilience/circuit-watch.ts";
import type { Health } from "./health-check.ts";
import type { TargetWatch } from "./target-watch.ts";
import type { UpstreamWatch } from "./upstream-watch.ts";

export interface CircuitStatus {
  readonly state: CircuitState;
  /** In a row. */
  readonly failures: number;
  /** How often it has opened. */
  readonly opened: number;
}

/** What is known of a target. */
export interface TargetStatus {
  readonly health: Health;
  /** Whether it is left out for failing requests. */
  readonly isEjected: boolean;
  readonly ejections: number;
  /** The part of its weight that counts now. */
  readonly share: number;
  readonly latencyMs: number | undefined;
  /** In milliseconds since 1970. */
  readonly lastCheckMs: number | undefined;
  /** Why the last check failed. */
  readonly error: string | undefined;
  readonly circuit: CircuitStatus | undefined;
}

/** Which target it is known of. */
interface PlacedStatus extends TargetStatus {
  /** The position of the configured backend. */
  readonly backend: number;
  /** Scheme, host and port of one that was discovered. */
  readonly foundAt: string | undefined;
}

/** What is known of an upstream. */
export interface UpstreamStatus {
  /** One for all targets, where there is such a one. */
  readonly circuit: CircuitStatus | undefined;
  /** In the order of the configuration; of a backend that is discovered there may be none or many. */
  readonly targets: readonly PlacedStatus[];
}

export function upstreamStatus({ circuit, targets, settings }: UpstreamWatch): UpstreamStatus {
  const byUrl = new Map(targets.map((target) => [target.url, targetStatus(target)]));
  const placed = settings.backends.map(({ url, backend }, index) => ({
    ...byUrl.get(url)!,
    backend: backend ?? index,
    foundAt: backend === undefined ? undefined : new URL(url).origin,
  }));
  return { circuit: circuitStatus(circuit), targets: placed };
}

export function targetStatus({ findings, isEjected, ejection, guard, circuit }: TargetWatch): TargetStatus {
  return {
    ...findings,
    isEjected,
    ejections: ejection.total,
    share: guard.state.share,
    circuit: circuitStatus(circuit),
  };
}

function circuitStatus(circuit: CircuitWatch | undefined): CircuitStatus | undefined {
  return circuit && { state: circuit.breaker.state, failures: circuit.breaker.failures, opened: circuit.opened };
}
