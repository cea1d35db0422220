import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { onlyProblemOf, problemsOf } from "../testing/problems-of.ts";

describe("how requests are spread over targets", () => {
  it("is said by whoever has the targets", () => {
    const upstreams = 'upstreams: {orders: {backends: [{url: "http://x"}], load_balancer: least_conn}}';
    assert.deepEqual(problemsOf(upstreams), []);
    assert.deepEqual(
      problemsOf('routes: [{id: r, path: /, backends: [{url: "http://x"}], load_balancer: least_conn}]'),
      [],
    );
    assert.equal(
      onlyProblemOf(`${upstreams}\nroutes: [{id: r, path: /, upstream: orders, load_balancer: round_robin}]`),
      "routes[0].load_balancer: belongs to the upstream: set upstreams.orders.load_balancer",
    );
  });

  it("names the header or cookie that is hashed", () => {
    const hashing = (hash: string) =>
      `upstreams: {o: {backends: [{url: "http://x"}], load_balancer: consistent_hash, consistent_hash: ${hash}}}`;
    for (const hash of ["{}", "{key: path}", "{key: header, header_name: x-user}", "{key: cookie, cookie_name: user}"])
      assert.deepEqual(problemsOf(hashing(hash)), []);
    assert.match(
      onlyProblemOf(hashing("{key: header}")),
      /consistent_hash\.header_name: is required with `key: header`/,
    );
    assert.match(
      onlyProblemOf(hashing("{key: cookie}")),
      /consistent_hash\.cookie_name: is required with `key: cookie`/,
    );
  });
});
