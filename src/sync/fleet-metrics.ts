import { FAILURES, type FailureKind } from "../core/failure.ts";
import type { Meter } from "../core/ports.ts";
import type { Ack, Nack } from "./messages.ts";
import type { NodeView } from "./node-view.ts";
import type { SendTurns } from "./send-turns.ts";

const APPLY_BUCKETS_S = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** What a control plane measures of its fleet. */
export class FleetMetrics {
  readonly #rejections: ReturnType<Meter["counter"]>;
  readonly #answers: ReturnType<Meter["counter"]>;
  readonly #applySeconds: ReturnType<Meter["histogram"]>;

  constructor(meter: Meter, nodes: () => readonly NodeView[], turns: SendTurns) {
    this.#rejections = meter.counter({
      name: "runway_fleet_rejections_total",
      help: "Streams of nodes that the control plane ended, by the code of the failure.",
      labels: ["code"],
    });
    this.#answers = meter.counter({
      name: "runway_fleet_answers_total",
      help: "Answers of nodes to configurations: ack, nack.",
      labels: ["answer"],
    });
    this.#applySeconds = meter.histogram({
      name: "runway_fleet_apply_seconds",
      help: "Time from the publication of a configuration until a node said that it runs it.",
      buckets: APPLY_BUCKETS_S,
    });
    meter.observeGauge({ name: "runway_fleet_nodes", help: "Nodes by status.", labels: ["status"] }, () =>
      countBy(nodes(), (node) => ({ status: node.status })),
    );
    meter.observeGauge(
      {
        name: "runway_fleet_nodes_in_sync",
        help: "Connected nodes, by whether they run the newest configuration.",
        labels: ["in_sync"],
      },
      () =>
        countBy(
          nodes().filter(({ status }) => status === "connected" || status === "stale"),
          (node) => ({ in_sync: String(node.inSync) }),
        ),
    );
    meter.observeGauge(
      { name: "runway_fleet_sends_waiting", help: "Nodes that wait for their turn to be sent a configuration." },
      () => [[{}, turns.waiting]],
    );
  }

  rejected(kind: FailureKind): void {
    this.#rejections.add(1, { code: FAILURES[kind].code });
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
