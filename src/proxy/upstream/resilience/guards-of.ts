import type { SharedUpstream } from "../health/shared-upstream.ts";
import { TargetState } from "../health/target-state.ts";
import { UpstreamState } from "../health/upstream-state.ts";
import type { UpstreamSettings } from "../upstream-settings.ts";
import { CircuitBreaker } from "./circuit-breaker.ts";
import { TargetGuard } from "./target-guard.ts";

/** The guards of an upstream's targets, by URL. */
export function guardsOf(
  { backends, circuit_breaker, outlier_detection }: UpstreamSettings,
  shared: SharedUpstream,
): ReadonlyMap<string, TargetGuard> {
  const upstream = new UpstreamState(shared.upstream);
  const outliers = outlier_detection?.enabled === true ? outlier_detection : undefined;
  const maxEjected = Math.floor((backends.length * (outliers?.max_ejected_percent ?? 0)) / 100);
  const breakerIn = (memory: SharedArrayBuffer) =>
    circuit_breaker?.enabled === true
      ? new CircuitBreaker(memory, circuit_breaker, () => upstream.changed())
      : undefined;
  const common = circuit_breaker?.scope === "upstream" ? breakerIn(shared.upstream) : undefined;
  return new Map(
    [...shared.targets].map(([url, memory]) => {
      const policy = { breaker: common ?? breakerIn(memory), outliers, maxEjected };
      return [url, new TargetGuard(new TargetState(memory), upstream, policy)];
    }),
  );
}
