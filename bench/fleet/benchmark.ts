import { TRANSPORTS } from "../../src/sync/connection.ts";
import { postgresMissing } from "../../test/support/postgres-server.ts";
import { leaveMeasuredCore } from "../cores.ts";
import { requireTools } from "../debian-tools.ts";
import { requireOpenFiles } from "../open-files.ts";
import { Refusal } from "../refusal.ts";
import { summarize } from "../statistics.ts";
import { describeSurroundings } from "../surroundings.ts";
import { renderTable } from "../table.ts";
import { writeResult } from "../write-result.ts";
import { type FleetMeasurement, measureFleet } from "./measure.ts";
import type { Push } from "./push.ts";
import type { Network } from "./relay.ts";
import type { Storm } from "./storm.ts";

/**
 * Control planes, the real program alone on one core, and thousands of nodes: real clients of the protocol, each with its
 * own certificate and connection. They share the other core, where a real fleet has one for each: `nodesCpuMs` of each push
 * shows how much of the time that was, and what all of them are sent alike is decoded once a process (shared-work.ts).
 */
export interface FleetOptions {
  readonly nodes: number;
  /** One fleet is measured after the other for each size of configuration. */
  readonly routes: readonly number[];
  readonly pushes: number;
  readonly transport: (typeof FLEET_TRANSPORTS)[number];
  readonly controlPlanes: number;
  readonly processes: number;
  readonly delay: number;
  readonly jitter: number;
  readonly loss: number;
  readonly cuts: number;
  readonly resultsFolder: string;
}

export const FLEET_TRANSPORTS = [...TRANSPORTS, "mixed"] as const;

export async function benchmarkFleet(options: FleetOptions, signal: AbortSignal): Promise<void> {
  const { resultsFolder, routes: sizes, ...flags } = options;
  requireTools(["taskset", "git"]);
  requireOpenFiles(options.nodes);
  const missing = options.controlPlanes > 1 ? postgresMissing() : undefined;
  if (missing !== undefined) throw new Refusal(`several control planes share a PostgreSQL, and ${missing}`);
  await leaveMeasuredCore();
  const surroundings = await describeSurroundings();
  const fleets: FleetMeasurement[] = [];
  const network = networkOf(options);
  for (const routes of sizes) {
    console.log(`${options.nodes} nodes, ${routes} routes …`);
    fleets.push(await measureFleet({ ...flags, routes, network }, signal));
  }
  const measured = { fleets: fleets.map((fleet) => ({ ...fleet, medians: mediansOf(fleet.pushes) })) };
  console.log(`\n${renderFleets(fleets)}\n`);
  console.log(`written to ${await writeResult(resultsFolder, "fleet", surroundings, measured)}`);
}

function networkOf({ delay: delayMs, jitter: jitterMs, loss, cuts: cutsPerMinute }: FleetOptions): Network | undefined {
  const isGood = delayMs + jitterMs + loss + cutsPerMinute === 0;
  return isGood ? undefined : { delayMs, jitterMs, lossShare: loss / 100, cutsPerMinute };
}

function mediansOf(pushes: readonly Push[]): Record<string, number> {
  const measures = Object.keys(pushes[0]!).filter((key) => key !== "version") as (keyof Push)[];
  return Object.fromEntries(measures.map((key) => [key, summarize(pushes.map((push) => push[key])).median]));
}

/** One column for each fleet, medians of its pushes. */
function renderFleets(fleets: readonly FleetMeasurement[]): string {
  const ofPush = (key: keyof Push) => (fleet: FleetMeasurement) => format(mediansOf(fleet.pushes)[key]!);
  const ofStorm = (show: (storm: Storm) => number) => (fleet: FleetMeasurement) =>
    format(show(fleet.restart ?? fleet.takeover!));
  const lines: readonly (readonly [string, (fleet: FleetMeasurement) => string])[] = [
    ["routes", ({ setting }) => `${setting.routes}`],
    ["all nodes join with nothing, ms", ({ joinMs }) => format(joinMs)],
    ["change: request to commit, ms", ofPush("requestToCommitMs")],
    ["change: half have acknowledged, ms", ofPush("ackMedianMs")],
    ["change: 99 of 100 have, ms", ofPush("ackP99Ms")],
    ["change: all have, ms", ofPush("ackLastMs")],
    ["change: commit to half applied, by the nodes' clock, ms", ofPush("commitToMedianMs")],
    ["change: commit to 99 of 100 applied, ms", ofPush("commitToP99Ms")],
    ["change: bytes a node, both directions", ofPush("bytesPerNode")],
    ["change: CPU of all nodes on their one core, ms", ofPush("nodesCpuMs")],
    ["control plane: CPU a change for nobody, ms", ({ cpuMsPerPushAlone }) => format(cpuMsPerPushAlone)],
    ["control plane: CPU a change and node, µs", ({ cpuMicrosPerNodePerPush }) => format(cpuMicrosPerNodePerPush)],
    ["control plane: memory idle, MB", ({ idleBytes }) => format(idleBytes / 1e6)],
    ["control plane: memory a node, KB", ({ bytesPerNode }) => format(bytesPerNode / 1e3)],
    ["cut and changed: all in sync, ms", ({ cut }) => format(cut.allInSyncMs)],
    ["cut and changed: bytes a node", ({ cut }) => format(cut.bytesPerNode)],
    ["cut and changed: admin API p99, ms", ({ cut }) => format(cut.admin.p99Ms)],
    ["restart: until it is ready, ms", ({ restart }) => (restart ? format(restart.startToReadyMs) : "-")],
    ["restart: memory a node, KB", ({ restart }) => (restart ? format(restart.bytesPerNodeOfMemory / 1e3) : "-")],
    ["restart or takeover: half in sync, ms", ofStorm(({ halfInSyncMs }) => halfInSyncMs)],
    ["restart or takeover: all in sync, ms", ofStorm(({ allInSyncMs }) => allInSyncMs)],
    ["restart or takeover: configurations sent", ofStorm(({ configurationMessages }) => configurationMessages)],
    ["restart or takeover: admin API p99, ms", ofStorm(({ admin }) => admin.p99Ms)],
  ];
  return renderTable(lines.map(([title, show]) => [title, ...fleets.map(show)]));
}

function format(value: number): string {
  return value.toFixed(value < 10 ? 1 : 0);
}
