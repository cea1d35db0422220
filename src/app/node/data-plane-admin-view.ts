import type { DataPlaneStatus, DataPlaneView } from "../../admin/data-plane-view.ts";
import type { RunningConfiguration } from "../../admin/node-control.ts";
import type { Json } from "../../config/json.ts";
import { RunwayError } from "../../core/failure.ts";
import type { Agent } from "../../sync/agent.ts";

/** Shows a data plane's side of the cluster to its admin API. */
export class DataPlaneAdminView implements DataPlaneView {
  readonly #nodeId: string;
  readonly #addresses: readonly string[];
  #agent: Agent | undefined;

  constructor(nodeId: string, addresses: readonly string[]) {
    this.#nodeId = nodeId;
    this.#addresses = addresses;
  }

  /** From now on the status is this agent's; until then the node is known and nothing else. */
  follow(agent: Agent): void {
    this.#agent = agent;
  }

  /** Of the configuration that runs. */
  version(): RunningConfiguration["version"] {
    const { hasConfig, epoch, configVersion: number, configHash: hash } = this.status();
    return hasConfig ? { epoch: epoch ?? "", number, hash } : undefined;
  }

  /** @throws RunwayError nodeNotConnected */
  resync(): void {
    this.#agent?.resync();
  }

  /** Asks the control plane. @throws RunwayError nodeNotConnected; RpcFailure, see Agent.call */
  async call(...call: Parameters<Agent["call"]>): Promise<Json> {
    if (this.#agent === undefined) throw new RunwayError("nodeNotConnected", "The node has not begun to connect yet.");
    return this.#agent.call(...call);
  }

  status(): DataPlaneStatus {
    const nodeId = this.#nodeId;
    const agent = this.#agent?.status();
    if (agent === undefined) {
      const cpAddress = this.#addresses[0] ?? "";
      return { nodeId, cpAddress, connected: false, configVersion: 0, configHash: 0n, hasConfig: false };
    }
    const { cpAddress, connected, epoch, configVersion, configHash, hasConfig, connectedAtMs, peer, withheld } = agent;
    const lastError = agent.lastReloadError === "" ? agent.lastError : agent.lastReloadError;
    return {
      ...{ nodeId, cpAddress, connected, epoch, configVersion, configHash, hasConfig },
      ...{ connectedAtMs, peer, lastError: lastError === "" ? undefined : lastError },
      withheld: withheld && {
        ...{ version: withheld.newest.version, hash: withheld.newest.hash, reason: withheld.reason },
      },
    };
  }
}
