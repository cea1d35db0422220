import type { NodeReport } from "../../admin/fleet-view.ts";
import type { JsonObject } from "../../config/json.ts";
import { formatHash } from "../../config/state-hash.ts";

/** A node's report as one control plane tells it to another. */
export function reportToJson({ configHash, ...rest }: NodeReport): JsonObject {
  return JSON.parse(JSON.stringify({ ...rest, configHash: formatHash(configHash) })) as JsonObject;
}

/** Written by `reportToJson`, perhaps of another version of the program: what is missing is as in a node that never came. */
export function reportFromJson(json: JsonObject): NodeReport {
  const { configHash, ...rest } = json;
  return { ...NOTHING_KNOWN, ...(rest as Partial<NodeReport>), configHash: BigInt(`0x${String(configHash ?? "0")}`) };
}

const NOTHING_KNOWN: NodeReport = {
  nodeId: "",
  hostname: "",
  version: "",
  status: "offline",
  configVersion: 0,
  configHash: 0n,
  inSync: false,
  lagVersions: 0,
  isLate: false,
  labels: {},
  capabilities: [],
  plugins: {},
  leftOut: [],
};
