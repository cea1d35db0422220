import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type ChartResult, renderChart } from "./chart.ts";
import { Refusal } from "./refusal.ts";

/** Where the README looks for it. */
export const CHART_FILE = new URL("../docs/images/proxy-benchmark.svg", import.meta.url).pathname;

/**
 * Draws the newest result of the proxies; the names of results begin with their date.
 *
 * @throws Refusal when there is none.
 */
export async function drawChart({ resultsFolder, file }: { readonly resultsFolder: string; readonly file: string }) {
  const names = await readdir(resultsFolder).catch(() => []);
  const newest = names
    .filter((name) => name.endsWith("-proxy.json"))
    .sort()
    .at(-1);
  if (newest === undefined)
    throw new Refusal(`there is no result in ${resultsFolder} yet; "npm run bench -- proxy --workload all" makes one`);
  const result = JSON.parse(await readFile(join(resultsFolder, newest), "utf8")) as ChartResult;
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, renderChart(result));
  console.log(`${newest} is drawn in ${file}`);
}
