import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import type { ChartResult } from "./chart.ts";
import { drawChart } from "./draw-chart.ts";
import { Refusal } from "./refusal.ts";
import { TemporaryFolder } from "./temporary-folder.ts";

const same = (value: number) => ({ median: value, min: value, max: value });

function result(title: string): ChartResult {
  return {
    date: "2026-05-01T10:20:30.400Z",
    commit: "0123456789abcdef",
    machine: { cpu: "a <fast> one" },
    versions: { nginx: "1.22" },
    workloads: [
      { title, notSupported: [], ratios: [{ lane: "runway", baseline: "nginx", ratio: same(0.87) }] },
      {
        title: "TLS",
        notSupported: [{ subject: "runway" }],
        ratios: [{ lane: "caddy", baseline: "nginx", ratio: same(0.2) }],
      },
      { title: "Log", ratios: [{ lane: "haproxy, on", baseline: "haproxy, off", ratio: same(0.9) }] },
      { title: "Broken" },
    ],
  };
}

async function draw(results: Readonly<Record<string, ChartResult>>): Promise<string> {
  await using folder = await TemporaryFolder.create();
  for (const [name, each] of Object.entries(results)) await writeFile(join(folder.path, name), JSON.stringify(each));
  const file = join(folder.path, "images", "chart.svg");
  await drawChart({ of: "proxy", resultsFolder: folder.path, file });
  return readFile(file, "utf8");
}

test("the newest result is drawn, others are not", async () => {
  const svg = await draw({
    "2026-05-02-000000-proxy.json": result("New"),
    "2026-05-01-000000-proxy.json": result("Old"),
  });
  assert.match(svg, />New</);
  assert.doesNotMatch(svg, />Old</);
});

test("every ratio is written out, and what we cannot do yet is said", async () => {
  const svg = await draw({ "2026-05-02-000000-proxy.json": result("Small") });
  assert.match(svg, />0\.87</);
  assert.match(svg, />runway: not supported yet</);
  assert.match(svg, />caddy</);
});

test("what could not be measured and what others do to themselves has no place in it", async () => {
  const svg = await draw({ "2026-05-02-000000-proxy.json": result("Small") });
  assert.doesNotMatch(svg, />Broken<|>Log</);
});

test("text from the machine cannot become markup", async () => {
  assert.match(await draw({ "2026-05-02-000000-proxy.json": result("Small") }), /a &lt;fast&gt; one/);
});

test("without a result it is said how to make one", async () => {
  await assert.rejects(draw({}), { name: Refusal.name, message: /npm run bench -- proxy/ });
});
