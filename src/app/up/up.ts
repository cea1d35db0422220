import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { listenToSignals } from "../signals.ts";
import type { Terminal } from "../terminal.ts";
import { askFleet, fleetLine, fleetTable } from "./fleet-report.ts";
import { introduction } from "./introduction.ts";
import { LocalCluster } from "./local-cluster.ts";
import { RedrawnBlock } from "./redrawn-block.ts";
import { Trickle } from "./trickle.ts";

const REQUESTS_PER_SECOND = 10;
const REDRAW_MS = 1_000;
/** Between lines when nobody watches. */
const LINE_MS = 5_000;
const STOP_TIMEOUT_MS = 10_000;

export interface UpOptions {
  /** Everything is kept there; undefined means a temporary directory that is removed at the end. */
  readonly directory: string | undefined;
  /** Ends after that long; undefined means when a signal says so. */
  readonly forMs: number | undefined;
}

/** Runs a cluster on this machine, with traffic, and shows it until the end. Leaves no process behind. */
export async function up(options: UpOptions, terminal: Terminal): Promise<void> {
  const ending = new AbortController();
  // SIGHUP says that the terminal is gone.
  const ignoreSignals = listenToSignals({
    stop: () => ending.abort(),
    reload: () => ending.abort(),
    reopen: () => {},
  });
  const directory = await directoryOf(options.directory);
  try {
    await runCluster(directory, options, terminal, ending.signal);
  } finally {
    if (options.directory === undefined) await rm(directory, { recursive: true, force: true });
    ignoreSignals();
  }
}

async function runCluster(
  directory: string,
  options: UpOptions,
  terminal: Terminal,
  ending: AbortSignal,
): Promise<void> {
  const block = new RedrawnBlock(terminal);
  const cluster = await LocalCluster.plan({
    directory,
    env: terminal.env,
    onEnd: ({ name, pid }, how) => block.writeAbove(`${terminal.style("yellow", `${name} (pid ${pid}) ${how}.`)}\n`),
  });
  const trickle = new Trickle(
    cluster.ports.dataPlanes.map(({ traffic }) => `http://127.0.0.1:${traffic}`),
    REQUESTS_PER_SECOND,
  );
  const killAll = () => cluster.killNow();
  // Also when this process ends in a way nobody planned.
  process.once("exit", killAll);
  terminal.write("Starting an origin, a control plane and two data planes…\n");
  try {
    await Promise.race([cluster.start(), aborted(ending)]);
    if (!ending.aborted) {
      await trickle.start();
      terminal.write(introduction(cluster, terminal, programPath()));
      await follow(cluster, trickle, block, terminal, untilEnd(ending, options.forMs));
    }
    terminal.write("Stopping…\n");
  } finally {
    const deadline = AbortSignal.timeout(STOP_TIMEOUT_MS);
    await trickle.stop();
    await cluster.stop(deadline);
    process.off("exit", killAll);
  }
}

async function follow(
  cluster: LocalCluster,
  trickle: Trickle,
  block: RedrawnBlock,
  terminal: Terminal,
  end: AbortSignal,
): Promise<void> {
  while (!end.aborted) {
    const report = { nodes: await askFleet(cluster.ports), counts: trickle.counts() };
    if (terminal.isInteractive) block.draw(fleetTable(report, cluster.ports));
    else terminal.write(fleetLine(report, cluster.ports));
    await pause(terminal.isInteractive ? REDRAW_MS : LINE_MS, undefined, { signal: end }).catch(() => {});
  }
}

function untilEnd(ending: AbortSignal, forMs: number | undefined): AbortSignal {
  return forMs === undefined ? ending : AbortSignal.any([ending, AbortSignal.timeout(forMs)]);
}

function aborted(signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  if (signal.aborted) resolve();
  signal.addEventListener("abort", () => resolve(), { once: true });
  return promise;
}

async function directoryOf(directory: string | undefined): Promise<string> {
  if (directory === undefined) return mkdtemp(join(tmpdir(), "runway-up-"));
  await mkdir(directory, { recursive: true, mode: 0o700 });
  return resolve(directory);
}

/** How a person in this directory calls the program. */
function programPath(): string {
  const path = fileURLToPath(new URL("../../../bin/runway", import.meta.url));
  if (!existsSync(path)) return "runway";
  const short = relative(process.cwd(), path);
  return short.startsWith("..") ? path : short;
}
