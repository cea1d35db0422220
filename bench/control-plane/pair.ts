import { Cluster, type Member } from "../../test/support/cluster.ts";
import type { LogLine } from "../../test/support/runway-process.ts";
import { waitUntil } from "../wait-until.ts";
import type { Setting } from "./trial.ts";

const PATIENCE_MS = 60_000;

/** Two control planes on one database. */
export interface Pair extends AsyncDisposable {
  readonly cluster: Cluster;
  readonly one: Member;
  readonly two: Member;
  readonly query: (sql: string) => Promise<readonly Record<string, unknown>[]>;
}

/** @param postgres further settings of the connection, such as `listen: false` */
export async function startPair({ server }: Pick<Setting, "server">, postgres = ""): Promise<Pair> {
  const store = await server.newDatabase();
  const cluster = await Cluster.start(documentOf("/start"), 0, { controlPlanes: 2, store, postgres });
  const [one, two] = cluster.controlPlanes as [Member, Member];
  const query = (sql: string) => server.query(new URL(store).pathname.slice(1), sql);
  return { cluster, one, two, query, [Symbol.asyncDispose]: () => cluster[Symbol.asyncDispose]() };
}

export function documentOf(path: string): string {
  return `routes:\n  - id: api\n    path: ${path}\n    backends: [{ url: "http://127.0.0.1:9" }]\n`;
}

export function reach(node: Member, version: number, signal: AbortSignal): Promise<void> {
  const isThere = async () => Number((await node.status()).config_version) >= version;
  return waitUntil(`${node.name} has version ${version}`, isThere, { timeoutMs: PATIENCE_MS, signal });
}

/** When a node began to serve a version, in milliseconds since 1970, by its own log. */
export async function liveAt(node: Member, version: number): Promise<number> {
  const line = await node.process.logged("A configuration went live", (one) => one.version === version, PATIENCE_MS);
  return timeOf(line);
}

function timeOf({ time }: LogLine): number {
  return typeof time === "number" ? time : Date.parse(String(time));
}

/** The versions that the database has, in order. */
export async function storedVersions({ query }: Pair): Promise<number[]> {
  const rows = await query("SELECT version FROM runway.revision ORDER BY version");
  return rows.map(({ version }) => Number(version));
}

/** Whether the numbers are those from the first to the last, each once. */
export function isGapless(versions: readonly number[], first: number, last: number): boolean {
  return versions.length === last - first + 1 && versions.every((version, index) => version === first + index);
}
