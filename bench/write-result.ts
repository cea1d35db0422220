import { mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Surroundings } from "./surroundings.ts";

/** Where results are kept in the repository. */
export const RESULTS_FOLDER = new URL("results", import.meta.url).pathname;

/**
 * Writes `<date>-<benchmark>.json`, the surroundings first, and answers its path. A result that grows is written again under the
 * same date, and is whole at any moment.
 */
export async function writeResult(
  folder: string,
  benchmark: string,
  surroundings: Surroundings,
  measured: object,
): Promise<string> {
  const path = join(folder, `${fileDate(surroundings.date)}-${benchmark}.json`);
  await mkdir(folder, { recursive: true });
  await writeFile(`${path}.part`, `${JSON.stringify({ benchmark, ...surroundings, ...measured }, null, 2)}\n`);
  await rename(`${path}.part`, path);
  return path;
}

/** `2026-05-01T10:20:30.400Z` becomes `2026-05-01-102030`, so that a second run of a day does not replace the first. */
function fileDate(date: string): string {
  return date.slice(0, 19).replace("T", "-").replaceAll(":", "");
}
