import { readFileSync } from "node:fs";

/** Ticks a second in `/proc`: USER_HZ, which Linux keeps at 100 on every architecture that Node runs on. */
const TICKS_PER_SECOND = 100;
const PAGE_BYTES = 4_096;

/** What `/proc/<pid>/stat` says about one process with all its threads (man 5 proc). */
export interface ProcStat {
  readonly pid: number;
  readonly parentPid: number;
  /** CPU time in user and kernel mode, of its own and of the children that it has waited for. Steps of 10 ms. */
  readonly cpuMs: number;
  /** Resident memory; pages shared with other processes count fully. */
  readonly rssBytes: number;
}

export function readProcStat(pid: number): ProcStat {
  return parseProcStat(readFileSync(`/proc/${pid}/stat`, "latin1"));
}

/** The name (2nd field) is in parentheses and may hold spaces and parentheses itself, so fields are counted after the last. */
export function parseProcStat(line: string): ProcStat {
  const fields = line.slice(line.lastIndexOf(")") + 2).split(" ");
  /** By the number of the field in the manual, where the state is number 3. */
  const field = (number: number) => Number(fields[number - 3]);
  const ticks = field(14) + field(15) + field(16) + field(17);
  return {
    pid: Number.parseInt(line, 10),
    parentPid: field(4),
    cpuMs: (ticks * 1_000) / TICKS_PER_SECOND,
    rssBytes: field(24) * PAGE_BYTES,
  };
}
