import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { LOAD_CORE, onCore } from "./cores.ts";
import { quantile } from "./statistics.ts";
import type { LoadReport } from "./wrk.ts";

export interface Http2Load {
  readonly url: string;
  readonly connections: number;
  /** Requests that are open at a time on each connection. */
  readonly streams: number;
  readonly seconds: number;
  /** For the generator's record of every single request. */
  readonly folder: string;
}

/** Asks over HTTP/2 as fast as it is answered, from one thread on the load core. A closed loop like wrk. */
export async function runH2load(load: Http2Load, signal: AbortSignal): Promise<LoadReport> {
  const { url, connections, streams, seconds, folder } = load;
  const log = join(folder, "h2load.log");
  const flags = ["--threads=1", `--clients=${connections}`, `--max-concurrent-streams=${streams}`];
  const { command, args } = onCore(LOAD_CORE, "h2load", [
    ...flags,
    `--duration=${seconds}`,
    "--warm-up-time=0",
    `--log-file=${log}`,
    url,
  ]);
  const { stdout } = await promisify(execFile)(command, args, { signal, timeout: seconds * 1_000 + 30_000 });
  return { ...parseH2load(stdout), ...latenciesOf(await readFile(log, "latin1")) };
}

/** @throws Error when the output lacks a number that h2load always prints, with the output. */
export function parseH2load(output: string): Pick<LoadReport, "requests" | "requestsPerSecond" | "failures"> {
  const find = (pattern: RegExp): number => {
    const found = pattern.exec(output)?.[1];
    if (found === undefined) throw new Error(`h2load did not print ${pattern}: ${output}`);
    return Number(found);
  };
  if (!output.includes("Application protocol: h2")) throw new Error(`h2load did not speak HTTP/2: ${output}`);
  const failures = {
    failed: find(/, (\d+) failed/),
    errored: find(/, (\d+) errored/),
    timeout: find(/, (\d+) timeout/),
    status: find(/(\d+) 3xx/) + find(/(\d+) 4xx/) + find(/(\d+) 5xx/),
  };
  return {
    requests: find(/(\d+) 2xx/),
    requestsPerSecond: find(/, ([\d.]+) req\/s/),
    failures: Object.fromEntries(Object.entries(failures).filter(([, count]) => count > 0)),
  };
}

/** One line for each request: when it began, its status, and how long it took in microseconds, separated by tabs. */
function latenciesOf(log: string): Pick<LoadReport, "p50Ms" | "p99Ms"> {
  const timesMs = log.split("\n").flatMap((line) => {
    const micros = line.split("\t")[2];
    return micros === undefined ? [] : [Number(micros) / 1_000];
  });
  return { p50Ms: quantile(timesMs, 0.5), p99Ms: quantile(timesMs, 0.99) };
}
