import { type FSWatcher, watch } from "node:fs";
import { basename, dirname } from "node:path";
import type { Clock } from "./clock.ts";

const SETTLE_MS = 200;

/**
 * Calls `changed` once after any of the files was written, replaced or pointed elsewhere, when writing has settled. It
 * watches their directories, since a replaced file is another file, and secrets that a volume provides are swapped by a
 * symbolic link beside them.
 * @returns stops watching
 */
export function watchFiles(paths: readonly string[], clock: Clock, changed: () => void): () => void {
  let cancel = (): void => {};
  const settle = (): void => {
    cancel();
    cancel = clock.after(SETTLE_MS, changed);
  };
  const watchers = [...namesByDirectory(paths)].map(([directory, names]): FSWatcher => {
    const watcher = watch(directory, { persistent: false }, (_event, name) => {
      if (name === null || names.has(name) || name.startsWith("..")) settle();
    });
    // A directory that vanished is noticed at the next handshake's end, by whoever reads the files.
    return watcher.on("error", () => {});
  });
  return () => {
    cancel();
    for (const watcher of watchers) watcher.close();
  };
}

function namesByDirectory(paths: readonly string[]): Map<string, Set<string>> {
  const directories = new Map<string, Set<string>>();
  for (const path of paths) {
    const names = directories.get(dirname(path)) ?? new Set();
    directories.set(dirname(path), names.add(basename(path)));
  }
  return directories;
}
