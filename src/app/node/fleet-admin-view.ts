import type { FleetProgress, FleetView, NodeReport } from "../../admin/fleet-view.ts";
import type { Fleet } from "../../sync/fleet.ts";
import type { NodeView } from "../../sync/node-view.ts";

/** Shows the fleet to the control plane's admin API. */
export class FleetAdminView implements FleetView {
  readonly #fleet: Fleet;

  constructor(fleet: Fleet) {
    this.#fleet = fleet;
  }

  nodes(): readonly NodeReport[] {
    return this.#fleet.nodes().map(reportOf);
  }

  forget(nodeId: string): "forgotten" | "unknown" | "connected" {
    return this.#fleet.forget(nodeId);
  }

  async waitApplied(version: number, { timeoutMs }: { timeoutMs: number }): Promise<FleetProgress> {
    const { applied, missing, slowest } = await this.#fleet.waitApplied(version, { timeoutMs });
    return {
      applied: applied.map(({ nodeId }) => nodeId),
      missing,
      ...(slowest === undefined ? {} : { slowest }),
    };
  }
}

function reportOf({ rejection, refusal, lastApply, obstacle, ...view }: NodeView): NodeReport {
  return {
    ...view,
    rejection: rejection?.detail,
    refused: refusal,
    obstacle: obstacle === "" ? undefined : obstacle,
    appliedDurationsMs: lastApply?.durationsMs,
  };
}
