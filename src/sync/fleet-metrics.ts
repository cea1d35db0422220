import { FAILURES, type FailureKind } from "../core/failure.ts";
import type { Meter } from "../core/ports.ts";
import type { Ack, Nack } from "./messages.ts";
import { FLEET_METRICS } from "./metrics.ts";
import type { NodeView } from "./node-view.ts";
import type { SendTurns } from "./send-turns.ts";

/** What a control plane measures of its fleet. */
export class FleetMetrics {
  readonly #rejections: ReturnType<Meter["counter"]>;
  readonly #deferrals: ReturnType<Meter["counter"]>;
  readonly #answers: ReturnType<Meter["counter"]>;
  readonly #applySeconds: ReturnType<Meter["histogram"]>;

  constructor(meter: Meter, nodes: () => readonly NodeView[], turns: SendTurns) {
    this.#rejections = meter.counter(FLEET_METRICS.rejections);
    this.#deferrals = meter.counter(FLEET_METRICS.deferrals);
    this.#answers = meter.counter(FLEET_METRICS.answers);
    this.#applySeconds = meter.histogram(FLEET_METRICS.apply);
    meter.observeGauge(FLEET_METRICS.nodes, () => countBy(nodes(), (node) => ({ status: node.status })));
    meter.observeGauge(FLEET_METRICS.nodesInSync, () =>
      countBy(
        nodes().filter(({ status }) => status === "connected" || status === "stale"),
        (node) => ({ in_sync: String(node.inSync) }),
      ),
    );
    meter.observeGauge(FLEET_METRICS.nodesLate, () => [[{}, nodes().filter(({ isLate }) => isLate).length]]);
    meter.observeGauge(FLEET_METRICS.sendsWaiting, () => [[{}, turns.waiting]]);
  }

  rejected(kind: FailureKind): void {
    this.#rejections.add(1, { code: FAILURES[kind].code });
  }

  deferred(): void {
    this.#deferrals.add();
  }

  /** @param afterMs since the publication; undefined when the answer is about another version than the newest */
  answered({ type }: Ack | Nack, afterMs: number | undefined): void {
    this.#answers.add(1, { answer: type });
    if (type === "ack" && afterMs !== undefined) this.#applySeconds.record(afterMs / 1_000);
  }
}

function countBy(
  nodes: readonly NodeView[],
  labelsOf: (node: NodeView) => Readonly<Record<string, string>>,
): Iterable<readonly [Readonly<Record<string, string>>, number]> {
  const counts = new Map<string, readonly [Readonly<Record<string, string>>, number]>();
  for (const node of nodes) {
    const labels = labelsOf(node);
    const key = JSON.stringify(labels);
    counts.set(key, [labels, (counts.get(key)?.[1] ?? 0) + 1]);
  }
  return counts.values();
}
