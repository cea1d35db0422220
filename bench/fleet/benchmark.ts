import { leaveMeasuredCore } from "../cores.ts";
import { requireTools } from "../debian-tools.ts";
import { requireOpenFiles } from "../open-files.ts";
import { summarize } from "../statistics.ts";
import { describeSurroundings } from "../surroundings.ts";
import { renderTable } from "../table.ts";
import { writeResult } from "../write-result.ts";
import { type FleetMeasurement, measureFleet } from "./measure.ts";
import type { Push } from "./push.ts";

/**
 * A control plane, the real program alone on one core, and many nodes: real clients of the protocol, each with its own
 * certificate and connection, which verify what they get and apply it to nothing. They share the other core, where a
 * real fleet has one for each, so with many nodes and large configurations the last of them is late because it waited
 * for its turn; `nodesCpuMs` of each push shows how much of the time that was.
 */
export interface FleetOptions {
  readonly nodes: number;
  /** One fleet is measured after the other for each size of configuration. */
  readonly routes: readonly number[];
  readonly pushes: number;
  readonly resultsFolder: string;
}

export async function benchmarkFleet(options: FleetOptions, signal: AbortSignal): Promise<void> {
  const { resultsFolder, ...flags } = options;
  requireTools(["taskset", "git"]);
  requireOpenFiles(options.nodes);
  await leaveMeasuredCore();
  const surroundings = await describeSurroundings();
  const fleets: FleetMeasurement[] = [];
  for (const routes of options.routes) {
    console.log(`${options.nodes} nodes, ${routes} routes …`);
    fleets.push(await measureFleet({ ...options, routes }, signal));
  }
  const measured = { flags, fleets: fleets.map((fleet) => ({ ...fleet, medians: mediansOf(fleet.pushes) })) };
  console.log(`\n${renderFleets(fleets)}\n`);
  console.log(`written to ${await writeResult(resultsFolder, "fleet", surroundings, measured)}`);
}

function mediansOf(pushes: readonly Push[]): Record<string, number> {
  const measures = Object.keys(pushes[0]!).filter((key) => key !== "version") as (keyof Push)[];
  return Object.fromEntries(measures.map((key) => [key, summarize(pushes.map((push) => push[key])).median]));
}

/** One column for each fleet, medians of its pushes. */
function renderFleets(fleets: readonly FleetMeasurement[]): string {
  const ofPush = (key: keyof Push) => (fleet: FleetMeasurement) => format(mediansOf(fleet.pushes)[key]!);
  const lines: readonly (readonly [string, (fleet: FleetMeasurement) => string])[] = [
    ["routes", ({ routes }) => `${routes}`],
    ["all nodes join, ms", ({ joinMs }) => format(joinMs)],
    ["push: request to commit, ms", ofPush("requestToCommitMs")],
    ["push: commit to first node applied, ms", ofPush("commitToFirstMs")],
    ["push: commit to last node applied, ms", ofPush("commitToLastMs")],
    ["push: last ack, as the control plane saw it, ms", ofPush("slowestAckMs")],
    ["push: CPU of all nodes on their one core, ms", ofPush("nodesCpuMs")],
    ["control plane: CPU a push to nobody, ms", ({ cpuMsPerPushAlone }) => format(cpuMsPerPushAlone)],
    ["control plane: CPU a push and node, µs", ({ cpuMicrosPerNodePerPush }) => format(cpuMicrosPerNodePerPush)],
    ["control plane: memory idle, MB", ({ idleBytes }) => format(idleBytes / 1e6)],
    ["control plane: memory a node, KB", ({ bytesPerNode }) => format(bytesPerNode / 1e3)],
    ["restart: until it is ready, ms", ({ reconnectStorm }) => format(reconnectStorm.startToReadyMs)],
    ["restart: until half are connected, ms", ({ reconnectStorm }) => format(reconnectStorm.startToHalfConnectedMs)],
    ["restart: until all are in sync, ms", ({ reconnectStorm }) => format(reconnectStorm.startToAllInSyncMs)],
    ["restart: slowest admin answer, ms", ({ reconnectStorm }) => format(reconnectStorm.slowestAnswerMs)],
  ];
  return renderTable(lines.map(([title, show]) => [title, ...fleets.map(show)]));
}

function format(value: number): string {
  return value.toFixed(value < 10 ? 1 : 0);
}
