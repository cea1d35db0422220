import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { request, run } from "../../sdk/testing.ts";
import { requestId } from "./plugin.ts";

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const sent = (id: string) => request("/", { headers: { "x-correlation-id": id } });

describe("request_id", () => {
  it("gives each request an id of its own, to the upstream and back", async () => {
    const [one, two] = [await run(requestId, {}), await run(requestId, {})];
    assert.match(one.headers["x-correlation-id"]!, UUID);
    assert.equal(one.forwarded?.headers["x-correlation-id"], one.headers["x-correlation-id"]);
    assert.notEqual(one.headers["x-correlation-id"], two.headers["x-correlation-id"]);
  });

  it("keeps a plain id of the client's unless told otherwise, and none that could break a log", async () => {
    assert.equal((await run(requestId, {}, sent("abc-1"))).headers["x-correlation-id"], "abc-1");
    assert.match((await run(requestId, { accept: false }, sent("abc-1"))).headers["x-correlation-id"]!, UUID);
    for (const id of ["a b", "x".repeat(129), '"'])
      assert.match((await run(requestId, {}, sent(id))).headers["x-correlation-id"]!, UUID);
  });

  it("takes another header, and does not tell the client if it should not", async () => {
    const { headers, forwarded } = await run(requestId, { header: "X-Trace", echo: false });
    assert.equal(headers["x-trace"], undefined);
    assert.match(forwarded?.headers["x-trace"] ?? "", UUID);
    await assert.rejects(run(requestId, { header: "X-Request-ID" }), /the gateway writes X-Request-ID itself/);
  });
});
