import type { MetricsView } from "../metrics-view.ts";
import { EVERY_ROLE, type Operation, operation } from "../operation.ts";

export function metricsOperations(metrics: MetricsView): Operation[] {
  return [
    operation({
      method: "GET",
      path: "/metrics",
      roles: EVERY_ROLE,
      summary: "The node's metrics in the Prometheus text format.",
      answer: "text/plain",
      handle: async () => ({ text: await metrics.expose(), contentType: metrics.contentType }),
    }),
  ];
}
