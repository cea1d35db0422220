import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { createAuthority, issueControlPlane } from "../../src/app/pki/certificate.ts";
import { KeyStore } from "../../src/app/pki/key-store.ts";
import { TemporaryFolder } from "../temporary-folder.ts";
import { chooseRate, MAX_LAG_MS } from "./choose-rate.ts";
import { compare, isSound, type LaneSummary, type Ratio, summarizeLane } from "./comparison.ts";
import type { Figure } from "./figures.ts";
import { type Lane, type Missing, planLanes } from "./lane.ts";
import { startOrigin } from "./origin.ts";
import { describeRun } from "./report.ts";
import { measureRun, type Run } from "./run.ts";
import { startEchoOrigin } from "./start-echo-origin.ts";
import type { RunningProxy, Setting, Subject } from "./subject.ts";
import { verifySubject } from "./verify-subject.ts";
import type { Workload, WorkloadSetting } from "./workload.ts";

/** How often a run is repeated in which the generator was late. */
const MAX_REPEATS = 3;

export interface WorkloadOptions {
  readonly subjects: readonly Subject[];
  readonly rounds: number;
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly connections: number;
  /** For workloads with a fixed rate; otherwise it is chosen. */
  readonly rate?: number;
}

export interface WorkloadResult {
  readonly workload: string;
  readonly title: string;
  readonly compares: Figure;
  readonly notSupported: readonly Missing[];
  /** Lanes whose every run had failures. */
  readonly failed: readonly string[];
  readonly ratePerSecond?: number;
  readonly summaries: Readonly<Record<string, LaneSummary>>;
  readonly ratios: readonly Ratio[];
  readonly runs: readonly Run[];
}

/**
 * All subjects run side by side on the measured core, idle but for the one whose turn it is. Everything that it starts
 * has stopped when it answers.
 *
 * @throws Error when a subject cannot be started, does other work than it should, or has not a single sound run.
 */
export async function measureWorkload(
  workload: Workload,
  options: WorkloadOptions,
  signal: AbortSignal,
): Promise<WorkloadResult> {
  const { lanes, missing } = planLanes(workload, options.subjects);
  for (const { subject, features } of missing)
    console.log(`${subject}: NOT SUPPORTED, it has no ${features.join(", ")}`);
  const { name, title, compares } = workload;
  const result = { workload: name, title, compares, notSupported: missing };
  if (lanes.length < 2) {
    console.log("not measured: fewer than two are left to compare");
    return { ...result, failed: [], summaries: {}, ratios: [], runs: [] };
  }
  const { runs, ratePerSecond } = await measureLanes(workload, lanes, options, signal);
  return { ...result, ...(ratePerSecond > 0 && { ratePerSecond }), ...concludeFrom(runs, lanes, compares), runs };
}

/** A lane without a sound run has nothing to be compared by, which is said aloud and keeps the others from nothing. */
function concludeFrom(runs: readonly Run[], lanes: readonly Lane[], compares: Figure) {
  const sound = lanes.filter(({ name }) => runs.some((run) => run.lane === name && isSound(run)));
  const failed = lanes.filter((lane) => !sound.includes(lane)).map(({ name }) => name);
  for (const name of failed) console.log(`${name}: NOT COMPARED, every run of it had failures`);
  const isComparable = ({ name, baseline }: Lane) => name !== baseline && !failed.includes(baseline);
  return {
    failed,
    summaries: Object.fromEntries(sound.map(({ name }) => [name, summarizeLane(name, runs)])),
    ratios: sound.filter(isComparable).map((lane) => compare(lane, compares, runs)),
  };
}

async function measureLanes(
  workload: Workload,
  lanes: readonly Lane[],
  options: WorkloadOptions,
  signal: AbortSignal,
): Promise<{ readonly runs: readonly Run[]; readonly ratePerSecond: number }> {
  await using folder = await TemporaryFolder.create();
  await using origin = await (workload.origin === "echo" ? startEchoOrigin : startOrigin)({
    folder: folder.path,
    signal,
  });
  await using running = new AsyncDisposableStack();
  const start = (lane: Lane) => startVerified(workload, lane, origin, { ...options, folder: folder.path, signal });
  const proxies = new Map<Lane, RunningProxy>();
  if (!workload.startsAnew) for (const lane of lanes) proxies.set(lane, running.use(await start(lane)));

  const trial = { connections: options.connections, seconds: options.warmUpSeconds };
  const ratePerSecond = workload.hasFixedRate
    ? (options.rate ?? (await chooseRate([...proxies.values()], origin, trial, signal)))
    : 0;
  const runs: Run[] = [];
  for (let round = workload.startsAnew ? 1 : 0; round <= options.rounds; round++)
    for (const lane of lanes) {
      await using own = workload.startsAnew ? await start(lane) : undefined;
      const seconds = round === 0 ? options.warmUpSeconds : options.seconds;
      const conditions = { ...options, seconds, variant: lane.variant, ratePerSecond, folder: folder.path };
      const turn = { lane, round, proxy: own ?? proxies.get(lane)! };
      const measure = () => measureRun(workload, turn, conditions, signal);
      const run = round === 0 ? await measure() : await measureInTime(measure);
      console.log(describeRun(run, workload.compares, isSound(run)));
      if (round > 0) runs.push(run);
    }
  return { runs, ratePerSecond };
}

/** A run in which the generator was late says more of the machine's moods than of the proxy: it is repeated, which is said. */
async function measureInTime(measure: () => Promise<Run>): Promise<Run> {
  for (let repeats = 0; ; repeats++) {
    const run = await measure();
    const lagMs = run.figures.lagP99Ms ?? 0;
    if (lagMs <= MAX_LAG_MS || repeats === MAX_REPEATS) return repeats === 0 ? run : { ...run, repeats };
    console.log(`         ${run.lane}: REPEATED, the generator was ${lagMs.toFixed(1)} ms late (p99)`);
  }
}

type Place = Pick<Setting, "folder" | "signal" | "connections">;

async function startVerified(
  workload: Workload,
  lane: Lane,
  origin: RunningProxy,
  place: Place,
): Promise<RunningProxy> {
  const { subject, variant } = lane;
  const { secure, ...wanted }: WorkloadSetting = { ...workload.setting, ...variant.setting };
  const { connections, signal } = place;
  const folder = await mkdtemp(join(place.folder, "lane-"));
  const setting: Setting = {
    ...{ workers: 1, accessLog: false, otherRoutes: 0, guardedByKey: "", ...wanted },
    ...{ connections, folder, signal, originPort: origin.port },
    tls: secure === undefined ? undefined : { ...(await certificateFiles(folder)), http2: secure === "http2" },
  };
  const proxy = await subject.start(setting);
  try {
    await verifySubject(proxy.url, origin.url, signal);
    await workload.verify?.(proxy, setting);
    return proxy;
  } catch (cause) {
    await proxy[Symbol.asyncDispose]();
    throw new Error(`${lane.name} cannot be compared`, { cause });
  }
}

/** The same for all subjects: a key on the curve P-256. */
async function certificateFiles(folder: string): Promise<{ readonly certFile: string; readonly keyFile: string }> {
  const store = new KeyStore(folder);
  const pair = await issueControlPlane(await createAuthority({ days: 1 }), { hosts: ["127.0.0.1"], days: 1 });
  await store.write("server", pair, { force: true });
  return { certFile: store.certificatePath("server"), keyFile: store.keyPath("server") };
}
