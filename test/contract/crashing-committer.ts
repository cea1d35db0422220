import { writeSync } from "node:fs";
import { inCanonicalOrder, type Resource } from "../../src/config/resource.ts";
import { systemClock } from "../../src/core/clock.ts";
import { SqliteStore } from "../../src/store/sqlite/sqlite-store.ts";

/** A program that commits one version after the other into the directory it is given, and prints each once it is safe. */

const RESOURCES = 40;

/** What a version holds follows from its number, so that whoever finds it can tell whether it is whole. */
export function stateOfVersion(version: number): Resource[] {
  const resources = Array.from({ length: RESOURCES }, (_, number) => ({
    kind: "route" as const,
    id: `r${number + (version % 3)}`,
    spec: { path: `/v${number % 2 === 0 ? version : 0}`, backends: [{ url: "http://x" }] },
  }));
  return inCanonicalOrder(resources);
}

if (import.meta.main) {
  const store = new SqliteStore({ directory: process.argv[2]!, clock: systemClock });
  await store.open();
  const log = store.revisions;
  for (let version = ((await log.head())?.version ?? 0) + 1; ; version++) {
    const { revision } = await log.commit({
      resources: stateOfVersion(version),
      author: "test",
      source: "admin-api",
      message: "",
    });
    writeSync(1, `${revision.version}\n`);
  }
}
