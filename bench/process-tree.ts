import { readdirSync } from "node:fs";
import { type ProcStat, readProcStat } from "./proc-stat.ts";

/** What a program and everything that it has started use: the master of nginx with its worker, runway with its threads. */
export interface Usage {
  readonly cpuMs: number;
  readonly rssBytes: number;
}

/** @throws Error when the process is gone, since its CPU time is then lost. */
export function usageOfTree(rootPid: number): Usage {
  const tree = descendants(rootPid, readAll());
  if (tree.length === 0) throw new Error(`process ${rootPid} has ended; its CPU time cannot be read`);
  return {
    cpuMs: tree.reduce((sum, { cpuMs }) => sum + cpuMs, 0),
    rssBytes: tree.reduce((sum, { rssBytes }) => sum + rssBytes, 0),
  };
}

/** The process itself, its children, their children, and so on. */
export function descendants(rootPid: number, all: readonly ProcStat[]): readonly ProcStat[] {
  const found = all.filter(({ pid }) => pid === rootPid);
  for (const { pid } of found) found.push(...all.filter(({ parentPid }) => parentPid === pid));
  return found;
}

function readAll(): readonly ProcStat[] {
  return readdirSync("/proc").flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      return [readProcStat(Number(name))];
    } catch {
      return []; // It ended between listing and reading.
    }
  });
}
