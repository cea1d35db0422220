import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { LOAD_CORE, onCore } from "./cores.ts";

export interface Load {
  readonly url: string;
  readonly connections: number;
  readonly seconds: number;
  /** `Name: value`, sent with each request. */
  readonly header?: string;
  /** A file in Lua that makes the requests something else than GETs. */
  readonly script?: string;
}

export interface LoadReport {
  readonly requests: number;
  readonly requestsPerSecond: number;
  /**
   * Time from request to response. A closed loop: a connection sends its next request when the last was answered, so a
   * pause of the proxy delays requests that are never counted (coordinated omission). Good for comparing, not for promises.
   */
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Requests that failed, by kind; only kinds that occurred. */
  readonly failures: Readonly<Record<string, number>>;
}

/** Asks over keep-alive connections as fast as it is answered, from one thread on the load core. */
export async function runWrk(load: Load, signal: AbortSignal): Promise<LoadReport> {
  const { url, connections, seconds, header, script } = load;
  const flags = ["--latency", "--threads", "1", "--connections", String(connections), "--duration", `${seconds}s`];
  if (header !== undefined) flags.push("--header", header);
  if (script !== undefined) flags.push("--script", script);
  const { command, args } = onCore(LOAD_CORE, "wrk", [...flags, url]);
  const { stdout } = await promisify(execFile)(command, args, { signal, timeout: seconds * 1_000 + 30_000 });
  return parseWrk(stdout);
}

/** @throws Error when the output lacks a number that wrk always prints, with the output. */
export function parseWrk(output: string): LoadReport {
  const find = (pattern: RegExp): string => {
    const found = pattern.exec(output)?.[1];
    if (found === undefined) throw new Error(`wrk did not print ${pattern}: ${output}`);
    return found;
  };
  return {
    requests: Number(find(/(\d+) requests in/)),
    requestsPerSecond: Number(find(/Requests\/sec:\s+([\d.]+)/)),
    p50Ms: parseMs(find(/^\s+50%\s+(\S+)/m)),
    p99Ms: parseMs(find(/^\s+99%\s+(\S+)/m)),
    failures: parseFailures(output),
  };
}

/** Both lines are missing when nothing failed. */
function parseFailures(output: string): Record<string, number> {
  const socketErrors = /Socket errors: (.+)/.exec(output)?.[1] ?? "";
  const counts = [...socketErrors.matchAll(/(\w+) (\d+)/g)].map(([, kind, count]) => [kind!, Number(count)] as const);
  const badStatus = Number(/Non-2xx or 3xx responses: (\d+)/.exec(output)?.[1] ?? 0);
  return Object.fromEntries([...counts, ["status", badStatus] as const].filter(([, count]) => count > 0));
}

const MS_PER_UNIT: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

function parseMs(text: string): number {
  const [, amount, unit] = /^([\d.]+)(\D+)$/.exec(text) ?? [];
  const factor = MS_PER_UNIT[unit ?? ""];
  if (factor === undefined) throw new Error(`wrk printed a duration of an unknown form: ${text}`);
  return Number(amount) * factor;
}
