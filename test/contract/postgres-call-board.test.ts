import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type BoardCall, MAX_BOARD_CALLS } from "../../src/config/call-board.ts";
import { parseStoreUrl } from "../../src/config/store-url.ts";
import { systemClock } from "../../src/core/clock.ts";
import { PostgresStore } from "../../src/store/postgres/postgres-store.ts";
import { eventually } from "../support/eventually.ts";
import { PostgresServer, postgresMissing } from "../support/postgres-server.ts";

describe("calls between control planes in PostgreSQL", { skip: postgresMissing() ?? false }, () => {
  let server: PostgresServer;
  let url: string;
  const stores: PostgresStore[] = [];

  before(async () => {
    server = await PostgresServer.start();
    url = await server.newDatabase();
  });
  after(async () => {
    for (const store of stores) await store.close();
    await server[Symbol.asyncDispose]();
  });

  const open = async (): Promise<PostgresStore> => {
    const place = parseStoreUrl(url);
    if ("problem" in place) throw new Error(place.problem);
    const connection = { ...place, password: () => undefined, tls: undefined };
    const store = new PostgresStore({ connection, listen: true, clock: systemClock });
    stores.push(store);
    await store.open();
    return store;
  };
  const callOf = (id: string, to = "b", timeLeftMs = 60_000): BoardCall => ({
    id,
    from: "a",
    to,
    timeLeftMs,
    text: `q ${id}`,
  });

  it("are taken once, by whom they are for, and answered once", async () => {
    const [one, two] = [(await open()).calls, (await open()).calls];
    await one.put(callOf("1"));
    assert.deepEqual(await two.take("c"), []);
    const taken = [...(await two.take("b")), ...(await two.take("b"))];
    assert.deepEqual(
      taken.map(({ id, from, text }) => [id, from, text]),
      [["1", "a", "q 1"]],
    );
    assert.ok(taken[0]!.timeLeftMs > 0 && taken[0]!.timeLeftMs <= 60_000);
    assert.deepEqual(await one.collect("a"), []);
    await two.answer({ id: "1", text: "yes" });
    assert.deepEqual(await one.collect("a"), [{ id: "1", text: "yes" }]);
    assert.deepEqual(await one.collect("a"), []);
  });

  it("are told to whom they are for, and to nobody else", async () => {
    const [one, two] = [(await open()).calls, (await open()).calls];
    const told = { b: 0, c: 0 };
    const stop = [two.watch("b", () => told.b++), two.watch("c", () => told.c++)];
    await eventually("both hear once that they may have missed something", () => told.b > 0 && told.c > 0);
    const before = { ...told };
    await one.put(callOf("2"));
    await eventually("b is told", () => told.b > before.b);
    assert.equal(told.c, before.c);
    for (const end of stop) end();
    await one.withdraw("2");
  });

  it("are gone when their time is over or they are withdrawn, and their answers come to nothing", async () => {
    const { calls } = await open();
    await calls.put(callOf("3", "b", 0));
    await calls.put(callOf("4"));
    await calls.withdraw("4");
    assert.deepEqual(await calls.take("b"), []);
    await calls.answer({ id: "3", text: "late" });
    await calls.answer({ id: "4", text: "late" });
    assert.deepEqual(await calls.collect("a"), []);
  });

  it("are at most so many", async () => {
    const { calls } = await open();
    await server.query(
      "test_1",
      `INSERT INTO runway.call (id, caller, callee, question, expires_at)
       SELECT 'x' || n, 'x', 'y', '', now() + interval '1 hour' FROM generate_series(1, ${MAX_BOARD_CALLS}) n`,
    );
    await assert.rejects(calls.put(callOf("5")), { kind: "overloaded" });
    await server.query("test_1", "DELETE FROM runway.call");
    await calls.put(callOf("6"));
  });
});
