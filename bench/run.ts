/** What `npm run bench -- <name>` runs. `npm run bench -- --help` shows the names. */
import { Argument, Command, InvalidArgumentError, Option } from "commander";
import { benchmarkControlPlane, TRIALS } from "./control-plane/benchmark.ts";
import { describeError } from "./describe-error.ts";
import { CHARTS, type ChartName, drawChart } from "./draw-chart.ts";
import { benchmarkFleet, FLEET_TRANSPORTS } from "./fleet/benchmark.ts";
import { benchmarkIdentity } from "./identity/benchmark.ts";
import { benchmarkProxies } from "./proxy/benchmark.ts";
import { findSubject, SUBJECTS } from "./proxy/subjects.ts";
import { findWorkload, WORKLOADS } from "./proxy/workloads.ts";
import { Refusal } from "./refusal.ts";
import { benchmarkRoutes } from "./routes/benchmark.ts";
import { benchmarkSoak } from "./soak/benchmark.ts";
import { RESULTS_FOLDER } from "./write-result.ts";

const interrupted = new AbortController();
for (const name of ["SIGINT", "SIGTERM"] as const)
  process.once(name, () => interrupted.abort(new Error(`stopped by ${name}`)));

const program = new Command("npm run bench --").description(
  "Measures runway on this machine. Results go to bench/results as JSON with date, commit, machine and every single run.",
);

program
  .command("proxy")
  .description("what a proxied request costs, runway beside others")
  .addOption(
    new Option("--subjects <names>", `two or more of ${names()}; the last is the baseline`)
      .argParser(subjects)
      .default(subjects("runway,nginx"), "runway,nginx"),
  )
  .addOption(
    new Option("--workload <names>", `all, or some of ${WORKLOADS.map(({ name }) => name).join(", ")}`)
      .argParser(workloads)
      .default(workloads("small-get"), "small-get"),
  )
  .option("--rate <count>", "requests a second of fixed-rate workloads (default: half of what the slowest can)", count)
  .option("--rounds <count>", "measured runs of each subject", count, 5)
  .option("--seconds <count>", "length of a run", count, 5)
  .option("--warm-up-seconds <count>", "length of the run before, which is not counted", count, 3)
  .option("--connections <count>", "keep-alive connections of the generator", count, 64)
  .option("--results-folder <path>", "where the result is written", RESULTS_FOLDER)
  .action((options) => benchmarkProxies(options, interrupted.signal));

program
  .command("fleet")
  .description("how fast a change reaches many nodes, and what that costs the control plane")
  .option("--nodes <count>", "nodes that are connected", count, 200)
  .option("--routes <counts>", "sizes of the configuration, one fleet after the other", counts, [10, 1_000])
  .option("--pushes <count>", "changes that are sent to each fleet", count, 10)
  .addOption(new Option("--transport <name>", "of the nodes").choices(FLEET_TRANSPORTS).default("grpc"))
  .option("--control-planes <count>", "several share a PostgreSQL that is started for them", count, 1)
  .option("--processes <count>", "that the nodes are spread over", count, 4)
  .option("--delay <ms>", "of the network, one way", number, 0)
  .option("--jitter <ms>", "of the network: up to so much more", number, 0)
  .option("--loss <percent>", "of what is sent waits for a retransmission", number, 0)
  .option("--cuts <count>", "how often a minute each connection is cut, on average", number, 0)
  .option("--results-folder <path>", "where the result is written", RESULTS_FOLDER)
  .action((options) => benchmarkFleet(options, interrupted.signal));

program
  .command("identity")
  .description("a fleet joins, renews its certificates, loses a revoked node and changes its authority, under changes")
  .option("--nodes <count>", "nodes that join", count, 100)
  .option("--results-folder <path>", "where the result is written", RESULTS_FOLDER)
  .action(benchmarkIdentity);

program
  .command("soak")
  .description("a node at half load for minutes, with changes of configuration, target failures and worker kills")
  .option("--minutes <count>", "how long", count, 10)
  .option("--connections <count>", "keep-alive connections of each of two generators", count, 32)
  .option("--results-folder <path>", "where the result is written", RESULTS_FOLDER)
  .action((options) => benchmarkSoak(options, interrupted.signal));

program
  .command("routes")
  .description("what a table of many routes costs a request, and what a change of one route costs")
  .option(
    "--routes <counts>",
    "sizes of the table; the first is the baseline",
    counts,
    [1, 500, 10_000, 50_000, 100_000],
  )
  .option("--starts <counts>", "sizes of the table that a node starts with", counts, [1, 10_000, 100_000])
  .option("--rounds <count>", "measured runs of each size", count, 3)
  .option("--seconds <count>", "length of a run", count, 3)
  .option("--connections <count>", "keep-alive connections of the generator", count, 64)
  .option("--results-folder <path>", "where the result is written", RESULTS_FOLDER)
  .action((options) => benchmarkRoutes(options, interrupted.signal));

program
  .command("control-plane")
  .description("what several control planes on one PostgreSQL promise, and what a commit costs")
  .option("--trials <names>", `some of ${Object.keys(TRIALS).join(", ")}`, trials, Object.keys(TRIALS))
  .option("--commits <count>", "of 16 writers at once", count, 2_000)
  .option("--changes <count>", "that are timed one after the other", count, 200)
  .option("--kills <count>", "of a control plane that commits", count, 5)
  .option("--stopped-seconds <count>", "for which a control plane stands still", count, 60)
  .option("--away-seconds <count>", "for which the database is away", count, 30)
  .option("--results-folder <path>", "where the result is written", RESULTS_FOLDER)
  .action((options) => benchmarkControlPlane(options, interrupted.signal));

program
  .command("chart")
  .description("draws the newest result of the proxies, or those of fleets, for the README")
  .addArgument(new Argument("[of]").choices(Object.keys(CHARTS)).default("proxy"))
  .option("--results-folder <path>", "where the results are", RESULTS_FOLDER)
  .option("--file <path>", "where the drawing goes, unless it is where the README looks for it")
  .action((of: ChartName, { resultsFolder, file = CHARTS[of] }) => drawChart({ of, resultsFolder, file }));

try {
  await program.parseAsync();
} catch (error) {
  console.error(describeError(error));
  process.exitCode = error instanceof Refusal ? 2 : 1;
}

function names(): string {
  return SUBJECTS.map(({ name }) => name).join(", ");
}

function subjects(text: string) {
  const chosen = [...new Set(text.split(","))];
  if (chosen.length < 2) throw new InvalidArgumentError("Name at least two, such as runway,nginx.");
  try {
    return chosen.map(findSubject);
  } catch (error) {
    throw new InvalidArgumentError(describeError(error));
  }
}

function workloads(text: string) {
  if (text === "all") return WORKLOADS;
  try {
    return [...new Set(text.split(","))].map(findWorkload);
  } catch (error) {
    throw new InvalidArgumentError(describeError(error));
  }
}

function trials(text: string): readonly string[] {
  const chosen = [...new Set(text.split(","))];
  const unknown = chosen.find((name) => !Object.hasOwn(TRIALS, name));
  if (unknown !== undefined) throw new InvalidArgumentError(`There is no trial ${unknown}.`);
  return chosen;
}

function count(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new InvalidArgumentError("It has to be a whole number from 1.");
  return value;
}

function number(text: string): number {
  const value = Number(text);
  if (!(value >= 0 && value < 1e6)) throw new InvalidArgumentError("It has to be a number from 0.");
  return value;
}

function counts(text: string): readonly number[] {
  return text.split(",").map(count);
}
