import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { Client } from "pg";
import type { JsonObject } from "../../src/config/json.ts";
import { parseStoreUrl } from "../../src/config/store-url.ts";
import { systemClock } from "../../src/core/clock.ts";
import { PostgresStore } from "../../src/store/postgres/postgres-store.ts";
import { PostgresServer, postgresMissing } from "../support/postgres-server.ts";
import { describeAuditLog } from "./audit-log.ts";
import { describeJoinTokenStore } from "./join-token-store.ts";
import { commitOf, describeRevisionLog, isFailure, route } from "./revision-log.ts";
import { describeRevocationList } from "./revocation-list.ts";
import type { StoreHarness } from "./store-harness.ts";
import { describeTokenStore } from "./token-store.ts";

describe("a store in PostgreSQL", { skip: postgresMissing() ?? false }, () => {
  let server: PostgresServer;

  before(async () => {
    server = await PostgresServer.start();
  });
  after(() => server[Symbol.asyncDispose]());

  const newHarness = async (): Promise<StoreHarness> => {
    const url = await server.newDatabase();
    return {
      newStore: (now) => storeAt(url, now),
      destroy: async () => {},
    };
  };

  describeRevisionLog("PostgreSQL", newHarness);
  describeAuditLog("PostgreSQL", newHarness);
  describeTokenStore("PostgreSQL", newHarness);
  describeRevocationList("PostgreSQL", newHarness);
  describeJoinTokenStore("PostgreSQL", newHarness);
  describePostgresStore(() => server);
});

function describePostgresStore(server: () => PostgresServer): void {
  describe("what only PostgreSQL has to do", () => {
    let url: string;
    const stores: PostgresStore[] = [];
    const openStore = async (at = url): Promise<PostgresStore> => {
      const store = storeAt(at);
      stores.push(store);
      await store.open();
      return store;
    };
    const query = (sql: string) => server().query(new URL(url).pathname.slice(1), sql);

    beforeEach(async () => {
      url = await server().newDatabase();
    });
    afterEach(async () => {
      for (const store of stores.splice(0)) await store.close();
    });

    it("is made once by however many begin with it at the same time, and all have one epoch", async () => {
      const opened = Array.from({ length: 6 }, () => storeAt(url));
      stores.push(...opened);
      const epochs = await Promise.all(opened.map((store) => store.open()));
      assert.equal(new Set(epochs).size, 1);
      assert.equal((await query("SELECT * FROM runway.head")).length, 1);
    });

    it("is refused when a newer runway wrote it", async () => {
      await (await openStore()).close();
      await query("INSERT INTO runway.migration VALUES (99)");
      await assert.rejects(openStore(), isFailure("storeUnavailable", /written by a newer runway/));
    });

    it("is refused when its content is not what was committed", async () => {
      await (await openStore()).revisions.commit(commitOf(route("a")));
      await query(`UPDATE runway.resource SET spec = '{"path":"/evil"}'`);
      await assert.rejects(
        (await openStore()).revisions.head(),
        isFailure("storeUnavailable", /Version 1 in the PostgreSQL database .* is damaged/),
      );
    });

    it("counts without gap or double when sixteen write at once from two control planes", async () => {
      const logs = [(await openStore()).revisions, (await openStore()).revisions];
      const commits = Array.from({ length: 160 }, (_, number) => ({
        ...{ author: `writer ${number % 16}`, source: "admin-api" as const, message: String(number) },
        delta: { upserts: [route(`r${number}`)], removals: [] },
      }));
      const writers = Array.from({ length: 16 }, async (_, writer) => {
        for (let number = writer; number < commits.length; number += 16)
          await logs[writer % 2]!.commit(commits[number]!);
      });
      await Promise.all(writers);
      const history = await logs[0]!.history({ limit: 1_000 });
      assert.deepEqual(
        history.map(({ version }) => version),
        commits.map((_, index) => commits.length - index),
      );
      assert.equal(new Set(history.map(({ message }) => message)).size, commits.length);
      const heads = await Promise.all(logs.map((log) => log.head()));
      for (const head of heads) assert.deepEqual(head?.resources.length, commits.length);
      assert.equal(heads[0]!.hash, heads[1]!.hash);
    });

    it("lets only one of several that built on the same version through", async () => {
      const logs = [(await openStore()).revisions, (await openStore()).revisions];
      await logs[0]!.commit(commitOf(route("a")));
      const outcomes = await Promise.allSettled(
        Array.from({ length: 8 }, (_, number) =>
          logs[number % 2]!.commit({ ...commitOf(route(`b${number}`)), source: "admin-api", expectedVersion: 1 }),
        ),
      );
      assert.equal(outcomes.filter(({ status }) => status === "fulfilled").length, 1);
      for (const outcome of outcomes)
        if (outcome.status === "rejected")
          assert.ok(isFailure("versionConflict")(outcome.reason), String(outcome.reason));
    });

    it("takes the lock from a writer that stands still in the middle, and others do not lose their change", async () => {
      const log = (await openStore()).revisions;
      await log.commit(commitOf(route("a")));
      const stopped = new Client({ connectionString: url, idle_in_transaction_session_timeout: 2_000 });
      stopped.on("error", () => {});
      await stopped.connect();
      await stopped.query("BEGIN");
      await stopped.query("SELECT * FROM runway.head FOR UPDATE");
      assert.equal((await log.commit(commitOf(route("b")))).revision.version, 2);
      await assert.rejects(stopped.query("UPDATE runway.head SET version = 99"));
    });

    it("goes on after its connections were broken, without losing or repeating a commit", async () => {
      const log = (await openStore()).revisions;
      for (let number = 1; number <= 5; number++) {
        await query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'runway'");
        assert.equal((await log.commit(commitOf(route(`r${number}`)))).revision.version, number);
      }
    });

    it("tells control planes of each other: how their nodes are, who owns which id, and what is no longer so", async () => {
      const [one, two] = [(await openStore()).fleet, (await openStore()).fleet];
      const report = (id: string, nodes: [string, JsonObject | undefined][], claims: [string, string][] = []) => ({
        controlPlane: { id, address: `${id}:9443` },
        ...{ nodes: new Map(nodes), claims: new Map(claims), freed: [] },
      });
      await one.begin("one");
      const empty = await one.exchange(report("one", [["n1", { up: true }]], [["n1", "key a"]]), 0);
      assert.deepEqual([empty.nodes, empty.controlPlanes], [[], []]);
      const first = await two.exchange(report("two", [], [["n1", "key b"]]), 0);
      assert.deepEqual(first.nodes, [{ controlPlane: "one", key: "n1", node: { up: true } }]);
      assert.deepEqual(first.claims, [{ nodeId: "n1", owner: "key a" }]);
      assert.deepEqual(
        first.controlPlanes.map(({ id, address }) => [id, address]),
        [["one", "one:9443"]],
      );
      const name = "spiffe://runway/node/n1";
      const renamed = await two.exchange(report("two", [], [["n1", name]]), first.asOf);
      assert.deepEqual(renamed.claims, [{ nodeId: "n1", owner: name }]);
      await one.exchange({ ...report("one", [["n1", undefined]]), freed: ["n1"] }, 0);
      const last = await two.exchange(report("two", []), first.asOf);
      assert.deepEqual(last.nodes, [{ controlPlane: "one", key: "n1", node: undefined }]);
      assert.deepEqual(last.claims, [{ nodeId: "n1", owner: undefined }]);
      const anew = await two.exchange(report("two", []), 0);
      assert.deepEqual([anew.nodes, anew.claims], [[], []]);
    });

    it("forgets what a control plane told before it began anew", async () => {
      const { fleet } = await openStore();
      const nodes = new Map([["n1", { up: true }]]);
      const nothing = { nodes: new Map(), claims: new Map(), freed: [] };
      await fleet.exchange({ ...nothing, controlPlane: { id: "one", address: "" }, nodes }, 0);
      await fleet.begin("one");
      const news = await fleet.exchange({ ...nothing, controlPlane: { id: "two", address: "" } }, 0);
      assert.deepEqual(news.nodes, []);
    });

    it("says that it is away, with advice and without its password, and is there again by itself", async () => {
      await using own = await PostgresServer.start();
      const address = new URL(await own.newDatabase());
      address.password = "s3cret";
      const store = await openStore(address.href);
      await store.revisions.commit(commitOf(route("a")));
      await own.stop();
      const refused = store.revisions.commit(commitOf(route("b")));
      await assert.rejects(refused, (error: Error) => {
        assert.match(error.message, /^The PostgreSQL database test_1 at 127\.0\.0\.1:\d+ cannot be used: .*start it/);
        assert.doesNotMatch(error.message, /s3cret/);
        return isFailure("storeUnavailable")(error);
      });
      await own.resume();
      assert.equal((await store.revisions.commit(commitOf(route("b")))).revision.version, 2);
    });

    it("lets in whom it knew while it is away, and nobody else", async () => {
      await using own = await PostgresServer.start();
      const store = await openStore(await own.newDatabase());
      const token = { id: "t", name: "t", role: "viewer" as const, secretHash: "h", createdAt: 1, createdBy: "root" };
      await store.tokens.add(token);
      await store.tokens.add({ ...token, id: "u", secretHash: "never asked for" });
      assert.deepEqual(await store.tokens.find("h"), token);
      await own.stop();
      assert.deepEqual(await store.tokens.find("h"), token);
      assert.equal(await store.tokens.find("never asked for"), undefined);
    });

    it("can be used by a user who owns the schema and may make none", async () => {
      await (await openStore()).close();
      await query(`CREATE ROLE lesser_${new URL(url).pathname.slice(1)} LOGIN`);
      const user = `lesser_${new URL(url).pathname.slice(1)}`;
      await query(`GRANT USAGE ON SCHEMA runway TO ${user}; GRANT ALL ON ALL TABLES IN SCHEMA runway TO ${user}`);
      const store = await openStore(url.replace("postgres@", `${user}@`));
      assert.equal((await store.revisions.commit(commitOf(route("a")))).revision.version, 1);
    });
  });
}

function storeAt(url: string, now = systemClock.now): PostgresStore {
  const parsed = parseStoreUrl(url);
  if ("problem" in parsed) throw new Error(parsed.problem);
  const { password, ...place } = parsed;
  const connection = { ...place, password: () => password, tls: undefined };
  return new PostgresStore({ connection, listen: true, clock: { ...systemClock, now } });
}
