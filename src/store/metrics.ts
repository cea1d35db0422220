import type { MetricTable } from "../core/ports.ts";

/** Of a control plane's store. */
export const STORE_METRICS = {
  available: {
    type: "gauge",
    name: "runway_store_available",
    help: "1 while the control plane's store can be used, 0 while changes are refused because it cannot.",
  },
} as const satisfies MetricTable;
