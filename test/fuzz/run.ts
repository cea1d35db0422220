/**
 * Fuzzes our HTTP/1.1 parsers against llhttp. `node test/fuzz/run.ts --cases 1000000 --seed 7` runs that many cases and prints how
 * fast, what was met, and the smallest form of the first disagreement as a file for the corpus. Without a seed it takes a new one.
 */
import { randomInt } from "node:crypto";
import { parseArgs } from "node:util";
import { Campaign } from "./campaign.ts";
import { describeInput, readCorpus } from "./corpus.ts";
import { KNOWN_DIFFERENCES } from "./known-differences.ts";
import { LlhttpReader } from "./llhttp-reader.ts";
import { Oracle } from "./oracle.ts";
import { readByRunway } from "./runway-reader.ts";

const STEP = 500_000;

const { values } = parseArgs({
  options: { cases: { type: "string", default: "1000000" }, seed: { type: "string" } },
});
const cases = Number(values.cases);
const seed = Number(values.seed ?? randomInt(2 ** 31));
if (!Number.isSafeInteger(cases) || cases < 1 || !Number.isSafeInteger(seed))
  throw new Error("--cases is a number of cases from 1 on, --seed a whole number");

const oracle = new Oracle(readByRunway, new LlhttpReader());
const campaign = new Campaign(
  seed,
  oracle,
  readCorpus().map(({ input }) => input),
);
console.log(`seed ${seed}, llhttp ${process.versions.llhttp}, Node ${process.versions.node}`);

const startMs = performance.now();
let disagreement: ReturnType<Campaign["run"]>;
while (campaign.cases < cases && disagreement === undefined) {
  disagreement = campaign.run(Math.min(STEP, cases - campaign.cases));
  const perSecond = Math.round((campaign.cases * 1_000) / (performance.now() - startMs));
  const share = ((100 * campaign.compared) / campaign.cases).toFixed(1);
  console.log(
    `${campaign.cases} cases, ${perSecond} a second, ${share} % compared, ${campaign.behaviours} behaviours met`,
  );
}
for (const [difference, times] of oracle.met)
  console.log(`known difference, ${times} times: ${difference}. ${KNOWN_DIFFERENCES[difference]}`);
if (disagreement !== undefined) {
  const { fault, input } = disagreement;
  console.error(`\nDISAGREEMENT: ${fault}\n${describeInput(input, oracle.judge(input).reading)}`);
  process.exitCode = 1;
}
