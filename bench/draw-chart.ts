import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type ChartResult, renderChart } from "./chart.ts";
import { type FleetResult, renderFleetChart } from "./fleet/chart.ts";
import { Refusal } from "./refusal.ts";

const IMAGES = new URL("../docs/images/", import.meta.url);

/** What can be drawn, and where the README looks for it. */
export const CHARTS = {
  proxy: new URL("proxy-benchmark.svg", IMAGES).pathname,
  fleet: new URL("fleet-benchmark.svg", IMAGES).pathname,
} as const;
export type ChartName = keyof typeof CHARTS;

export interface ChartOptions {
  readonly of: ChartName;
  readonly resultsFolder: string;
  readonly file: string;
}

/**
 * Draws the newest result of the proxies, or all results of fleets of the newest day; the names of results begin with their date.
 *
 * @throws Refusal when there is none.
 */
export async function drawChart({ of, resultsFolder, file }: ChartOptions): Promise<void> {
  const found = await readdir(resultsFolder).catch(() => []);
  const names = found.filter((name) => name.endsWith(`-${of}.json`)).sort();
  const newest = names.at(-1);
  if (newest === undefined)
    throw new Refusal(`there is no result in ${resultsFolder} yet; "npm run bench -- ${of}" makes one`);
  const read = async (name: string): Promise<unknown> => JSON.parse(await readFile(join(resultsFolder, name), "utf8"));
  await mkdir(dirname(file), { recursive: true });
  if (of === "proxy") await writeFile(file, renderChart((await read(newest)) as ChartResult));
  else {
    const ofTheDay = names.filter((name) => name.slice(0, 10) === newest.slice(0, 10));
    await writeFile(file, renderFleetChart((await Promise.all(ofTheDay.map(read))) as FleetResult[]));
  }
  console.log(`${newest} is drawn in ${file}`);
}
