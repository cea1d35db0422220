import { waitUntil } from "../wait-until.ts";
import { documentOf, liveAt, type Pair, startPair } from "./pair.ts";
import type { Finding, Setting } from "./trial.ts";

const LIMIT_MS = 2_000;
/** How long the database takes over a commit, so that nobody is there any more to hear its answer. */
const DAWDLE_SECONDS = 0.25;

/** The committing control plane is killed while the database commits: how long until nodes have the change. */
export async function killedCommitter(setting: Setting): Promise<Finding[]> {
  const delays: { readonly othersMs: number; readonly movedMs: number }[] = [];
  for (let kill = 0; kill < setting.kills; kill++) delays.push(await killOnce(setting));
  const longest = Math.max(...delays.flatMap(({ othersMs, movedMs }) => [othersMs, movedMs]));
  return [
    {
      claim: `killed between commit and fan-out: all nodes have the change within ${LIMIT_MS} ms`,
      holds: longest <= LIMIT_MS,
      measured: { kills: setting.kills, longestMs: longest, delays },
    },
  ];
}

async function killOnce({ server, signal }: Setting) {
  await using pair = await startPair({ server });
  const { cluster, one, two } = pair;
  const own = await cluster.addDataPlane("dp-own", { controlPlanes: [one, two] });
  const others = await cluster.addDataPlane("dp-others", { controlPlanes: [two] });
  for (const node of [own, others]) await liveAt(node, 1);
  await dawdle(pair);
  const answer = cluster.push(documentOf("/after"), "", one).catch(() => undefined);
  const isCommitting = async () =>
    (await pair.query("SELECT 1 FROM pg_stat_activity WHERE query = 'COMMIT' AND state = 'active'")).length > 0;
  await waitUntil("the commit is on its way", isCommitting, { timeoutMs: 10_000, signal });
  await one.process.end("SIGKILL");
  await answer;
  const isStored = async () => (await pair.query("SELECT 1 FROM runway.head WHERE version = 2")).length > 0;
  await waitUntil("the commit is stored", isStored, { timeoutMs: 10_000, signal });
  const storedAt = Date.now();
  const since = async (member: typeof own) => Math.max(0, (await liveAt(member, 2)) - storedAt);
  return { othersMs: await since(others), movedMs: await since(own) };
}

/** Commits of versions take a while from now on. */
async function dawdle({ query }: Pair): Promise<void> {
  await query(`CREATE FUNCTION runway.dawdle() RETURNS trigger LANGUAGE plpgsql
      AS 'BEGIN PERFORM pg_sleep(${DAWDLE_SECONDS}); RETURN NULL; END';
    CREATE CONSTRAINT TRIGGER dawdle AFTER INSERT ON runway.revision DEFERRABLE INITIALLY DEFERRED
      FOR EACH ROW EXECUTE FUNCTION runway.dawdle()`);
}
