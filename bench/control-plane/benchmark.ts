import { PostgresServer, postgresMissing } from "../../test/support/postgres-server.ts";
import { Refusal } from "../refusal.ts";
import { describeSurroundings } from "../surroundings.ts";
import { renderTable } from "../table.ts";
import { writeResult } from "../write-result.ts";
import { across } from "./across.ts";
import { commitCost } from "./commit-cost.ts";
import { databaseAway } from "./database-away.ts";
import { killedCommitter } from "./killed-committer.ts";
import { manyWriters } from "./many-writers.ts";
import { pausedControlPlane } from "./paused-control-plane.ts";
import type { Finding, Setting, Trial } from "./trial.ts";

/**
 * What several control planes on one PostgreSQL promise, at full size, with real processes. The tests show the same in small
 * (test/e2e/shared-store). The database is one of Debian's packages, thrown away afterwards, and syncs nothing to the disk.
 */
export interface ControlPlaneBenchOptions extends Omit<Setting, "server" | "signal"> {
  readonly trials: readonly string[];
  readonly resultsFolder: string;
}

export const TRIALS: Readonly<Record<string, Trial>> = {
  "many-writers": manyWriters,
  "killed-committer": killedCommitter,
  "paused-control-plane": pausedControlPlane,
  "database-away": databaseAway,
  across,
  "commit-cost": commitCost,
};

/** @throws Error when something that is promised does not hold; the result is written all the same. */
export async function benchmarkControlPlane(options: ControlPlaneBenchOptions, signal: AbortSignal): Promise<void> {
  const { resultsFolder, trials, ...sizes } = options;
  const missing = postgresMissing();
  if (missing !== undefined) throw new Refusal(`several control planes share a PostgreSQL, and ${missing}`);
  const surroundings = await describeSurroundings();
  await using server = await PostgresServer.start();
  const findings: (Finding & { readonly trial: string })[] = [];
  let path = "";
  for (const trial of trials) {
    console.log(`${trial} …`);
    for (const finding of await TRIALS[trial]!({ ...sizes, server, signal })) {
      findings.push({ trial, ...finding });
      console.log(JSON.stringify(finding.measured));
    }
    path = await writeResult(resultsFolder, "control-plane", surroundings, { planned: trials, sizes, findings });
  }
  console.log(`\n${renderTable(findings.map(({ claim, holds }) => [claim, holds ? "holds" : "DOES NOT HOLD"]))}\n`);
  console.log(`written to ${path}`);
  if (findings.some(({ holds }) => !holds)) throw new Error("not everything that is promised holds");
}
