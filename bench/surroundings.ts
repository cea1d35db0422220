import { execFile } from "node:child_process";
import { cpus, loadavg, release, totalmem } from "node:os";
import { promisify } from "node:util";

const execute = promisify(execFile);

/** Where and of what a measurement was taken; without it a number means nothing a month later. */
export interface Surroundings {
  readonly date: string;
  readonly commit: string;
  /** Whether files differed from the commit, results of benchmarks aside. */
  readonly dirty: boolean;
  readonly machine: {
    readonly cpu: string;
    readonly cores: number;
    readonly kernel: string;
    readonly memoryBytes: number;
    /** Of the last minute, before the benchmark began: above 0.5, something else was running. */
    readonly loadAverage: number;
  };
  readonly node: string;
}

export async function describeSurroundings(): Promise<Surroundings> {
  const changes = await git("status", "--porcelain", "--", ".", ":!bench/results");
  return {
    date: new Date().toISOString(),
    commit: await git("rev-parse", "HEAD"),
    dirty: changes !== "",
    machine: {
      cpu: cpus()[0]?.model.trim() ?? "unknown",
      cores: cpus().length,
      kernel: release(),
      memoryBytes: totalmem(),
      loadAverage: loadavg()[0] ?? 0,
    },
    node: process.version,
  };
}

async function git(...args: readonly string[]): Promise<string> {
  const { stdout } = await execute("git", args, { cwd: new URL("..", import.meta.url) });
  return stdout.trim();
}
