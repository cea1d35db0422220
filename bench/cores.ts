import { execFile } from "node:child_process";
import { availableParallelism } from "node:os";
import { promisify } from "node:util";
import { findProgram } from "./debian-tools.ts";
import { Refusal } from "./refusal.ts";

/** What is measured has this core for itself. */
export const MEASURED_CORE = 0;
/** Everything else: generator, origin, clients and the benchmark itself. */
export const LOAD_CORE = 1;

/**
 * Moves the benchmark itself, with all its threads, out of the way of what it measures.
 *
 * @throws Refusal on a machine with fewer than two cores, where no number would mean anything.
 */
export async function leaveMeasuredCore(): Promise<void> {
  const cores = availableParallelism();
  if (cores < 2) throw new Refusal(`needs 2 cores, one of them for what is measured alone; this machine has ${cores}`);
  await promisify(execFile)("taskset", ["-a", "-c", "-p", String(LOAD_CORE), String(process.pid)]);
}

/** The command that runs a program on one core. `taskset` becomes the program, so the process id is the program's own. */
export function onCore(core: number, program: string, args: readonly string[]) {
  return { command: "taskset", args: ["-c", String(core), findProgram(program) ?? program, ...args] };
}
