import { setTimeout as pause } from "node:timers/promises";
import type { FleetProgress, FleetView, NodeReport } from "../../admin/fleet-view.ts";
import type { Json, JsonObject } from "../../config/json.ts";
import { RunwayError } from "../../core/failure.ts";
import type { Fleet } from "../../sync/fleet.ts";
import type { NodeView } from "../../sync/node-view.ts";
import type { CallExchange } from "./call-exchange.ts";
import type { FleetExchange, ForeignNode } from "./fleet-exchange.ts";
import { callNode } from "./node-call.ts";

const LOOK_AGAIN_MS = 100;
/** Things that a node goes without which are told. */
const MAX_TOLD = 100;

/** Shows the fleet to the control plane's admin API: the nodes of this control plane and those of the others on its store. */
export class FleetAdminView implements FleetView {
  readonly #fleet: Fleet;
  readonly #exchange: FleetExchange | undefined;
  readonly #calls: CallExchange | undefined;

  constructor(fleet: Fleet, exchange?: FleetExchange, calls?: CallExchange) {
    this.#fleet = fleet;
    this.#exchange = exchange;
    this.#calls = calls;
  }

  nodes(): readonly NodeReport[] {
    const own = this.ownNodes();
    const foreign = this.#exchange?.nodes().map((node) => this.#judged(node)) ?? [];
    const best = new Map<string, NodeReport>();
    for (const node of [...own, ...foreign].filter(({ status }) => status !== "rejected")) {
      const other = best.get(node.nodeId);
      if (other === undefined || isBetter(node, other)) best.set(node.nodeId, node);
    }
    const rejected = [...own, ...foreign].filter(({ status }) => status === "rejected");
    return [...best.values(), ...rejected].sort((a, b) => (a.nodeId < b.nodeId ? -1 : a.nodeId > b.nodeId ? 1 : 0));
  }

  /** Those that are connected here, were, or were turned away. */
  ownNodes(): readonly NodeReport[] {
    return this.#fleet.nodes().map(reportOf);
  }

  forget(nodeId: string): "forgotten" | "unknown" | "connected" {
    const elsewhere = this.#exchange?.nodes().filter(({ report }) => report.nodeId === nodeId) ?? [];
    if (elsewhere.some(({ report, isCurrent }) => isCurrent && isThere(report))) return "connected";
    return this.#fleet.forget(nodeId);
  }

  call(nodeId: string, name: string, params: JsonObject): Promise<Json> {
    const node = this.nodes().find((known) => known.nodeId === nodeId && known.status !== "rejected");
    if (node === undefined) throw new RunwayError("notFound", `No node ${JSON.stringify(nodeId)} is known.`);
    if (!isThere(node)) throw new RunwayError("nodeNotConnected", `Node ${JSON.stringify(nodeId)} is ${node.status}.`);
    const { controlPlane } = node;
    return callNode(name, params, async (method, given, options) => {
      if (controlPlane === undefined || this.#calls === undefined)
        return this.#fleet.call(nodeId, method, given, options);
      return this.#calls.call(controlPlane, { nodeId, method, params: given }, options);
    });
  }

  async waitApplied(version: number, { timeoutMs }: { timeoutMs: number }): Promise<FleetProgress> {
    const untilMs = performance.now() + timeoutMs;
    const { applied, missing, slowest, medianMs, p99Ms } = await this.#fleet.waitApplied(version, { timeoutMs });
    const foreign = await this.#waitForeign(version, untilMs);
    return {
      applied: [...applied.map(({ nodeId }) => nodeId), ...foreign.applied],
      missing: [...missing, ...foreign.missing],
      ...(slowest === undefined ? {} : { slowest }),
      ...{ medianMs, p99Ms },
    };
  }

  /** Nodes of other control planes are heard of once a second. */
  async #waitForeign(version: number, untilMs: number): Promise<Pick<FleetProgress, "applied" | "missing">> {
    for (;;) {
      const there = this.#exchange?.nodes().filter(({ report, isCurrent }) => isCurrent && isThere(report)) ?? [];
      const reports = there.map(({ report }) => report);
      const late = reports.filter(
        (node) => node.configVersion < version && node.refused?.version !== version && !isWithheld(node, version),
      );
      if (late.length > 0 && performance.now() < untilMs) {
        await pause(LOOK_AGAIN_MS);
        continue;
      }
      const applied = reports.filter(({ configVersion }) => configVersion >= version).map(({ nodeId }) => nodeId);
      const missing = reports.filter(({ configVersion }) => configVersion < version).map(missingOf(version));
      return { applied, missing };
    }
  }

  /** In sync is what is in sync with what this control plane has; of a node whose control plane is silent nobody knows. */
  #judged({ report, controlPlane, isCurrent }: ForeignNode): NodeReport {
    const newest = this.#fleet.newest;
    const status = isCurrent || report.status !== "connected" ? report.status : "stale";
    // Its control plane has compared the hash, which is another one in the edition of an older program.
    const isLevel = report.inSync && report.configVersion === newest?.version;
    const lagVersions = Math.max(0, (newest?.version ?? 0) - report.configVersion);
    return { ...report, status, inSync: status === "connected" && isLevel, lagVersions, controlPlane };
  }
}

function isThere({ status }: NodeReport): boolean {
  return status === "connected" || status === "stale";
}

/** Where it is connected, and of two such places where it came last, is where a node is; else who saw it last knows best. */
function isBetter(node: NodeReport, than: NodeReport): boolean {
  const rank = ({ status }: NodeReport) => (status === "connected" ? 2 : status === "stale" ? 1 : 0);
  if (rank(node) !== rank(than)) return rank(node) > rank(than);
  return (node.connectedAtMs ?? 0) > (than.connectedAtMs ?? 0);
}

/** Its control plane has the version and does not give it to the node. What a node lacks is counted from what its control plane has. */
function isWithheld({ obstacle, configVersion, lagVersions }: NodeReport, version: number): boolean {
  return obstacle !== undefined && configVersion + lagVersions >= version;
}

function missingOf(version: number) {
  return (node: NodeReport): FleetProgress["missing"][number] => {
    const { nodeId, refused, obstacle = "" } = node;
    if (isWithheld(node, version)) return { nodeId, why: "refused", detail: obstacle };
    return refused?.version === version
      ? { nodeId, why: "refused", detail: refused.problems[0]?.message ?? "" }
      : { nodeId, why: "pending", detail: "it is connected to another control plane" };
  };
}

function reportOf({ rejection, refusal, lastApply, obstacle, certificate, leftOut, ...view }: NodeView): NodeReport {
  return {
    ...view,
    certificate: certificate && certificateOf(certificate),
    leftOut: leftOut.slice(0, MAX_TOLD),
    rejection: rejection?.detail,
    refused: refusal,
    obstacle: obstacle === "" ? undefined : obstacle,
    appliedDurationsMs: lastApply?.durationsMs,
  };
}

function certificateOf({ subject, notAfterMs, serialNumber, fingerprint }: NonNullable<NodeView["certificate"]>) {
  return { subject, notAfterMs, serialNumber, fingerprint };
}
