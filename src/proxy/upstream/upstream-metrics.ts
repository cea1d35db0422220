import type { Labels, Meter, MetricTable } from "../../core/ports.ts";
import { type CircuitStatus, type TargetStatus, targetStatus, upstreamStatus } from "./health/upstream-status.ts";
import type { UpstreamSupervision } from "./upstream-supervision.ts";

const labels = ["owner", "target"] as const;

/** Of targets that are watched. `owner` is who has them, such as `upstream:orders`; `target` its scheme, host and port. */
export const UPSTREAM_METRICS = {
  healthy: {
    type: "gauge",
    name: "runway_target_healthy",
    help: "1 while a target is healthy as far as is known, 0 while checks or requests say that it is not. Only targets that are watched.",
    labels,
  },
  share: {
    type: "gauge",
    name: "runway_target_share",
    help: "The part of its weight that counts, below 1 while a target starts slowly.",
    labels,
  },
  ejections: {
    type: "counter",
    name: "runway_target_ejections_total",
    help: "How often a target was left out for failing requests.",
    labels,
  },
  circuitOpen: {
    type: "gauge",
    name: "runway_circuit_breaker_open",
    help: "1 while a circuit breaker lets nothing through, 0.5 while it lets requests try, 0 while it is closed. Target `*` stands for all.",
    labels,
  },
  circuitOpened: {
    type: "counter",
    name: "runway_circuit_breaker_opened_total",
    help: "How often a circuit breaker opened.",
    labels,
  },
} as const satisfies MetricTable;

const OPENNESS = { closed: 0, half_open: 0.5, open: 1 } as const;

export function registerUpstreamMetrics(
  meter: Meter,
  { watches }: { readonly watches: () => UpstreamSupervision["watches"] },
): void {
  function* each(read: (target: TargetStatus) => number): Generator<readonly [Labels, number]> {
    for (const [owner, { targets }] of watches())
      for (const target of targets) yield [{ owner, target: target.name }, read(targetStatus(target))];
  }
  function* eachCircuit(read: (circuit: CircuitStatus) => number): Generator<readonly [Labels, number]> {
    for (const [owner, watch] of watches()) {
      const { circuit } = upstreamStatus(watch);
      if (circuit !== undefined) yield [{ owner, target: "*" }, read(circuit)];
      for (const target of watch.targets) {
        const own = targetStatus(target).circuit;
        if (own !== undefined) yield [{ owner, target: target.name }, read(own)];
      }
    }
  }
  meter.observeGauge(UPSTREAM_METRICS.healthy, () =>
    each(({ health, isEjected }) => (health === "unhealthy" || isEjected ? 0 : 1)),
  );
  meter.observeGauge(UPSTREAM_METRICS.share, () => each(({ share }) => share));
  meter.observeCounter(UPSTREAM_METRICS.ejections, () => each(({ ejections }) => ejections));
  meter.observeGauge(UPSTREAM_METRICS.circuitOpen, () => eachCircuit(({ state }) => OPENNESS[state]));
  meter.observeCounter(UPSTREAM_METRICS.circuitOpened, () => eachCircuit(({ opened }) => opened));
}
