import assert from "node:assert/strict";
import { constants } from "node:http2";
import { afterEach, describe, it } from "node:test";
import { Http2Client } from "../../testing/http2-client.ts";
import { Http2Origin, type Respond } from "../../testing/http2-origin.ts";
import { eventually, TestProxy } from "../../testing/test-proxy.ts";

const open: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  for (const part of open.splice(0).reverse()) await part.stop();
});

async function between(respond: Respond, route: object = {}) {
  const origin = await new Http2Origin(respond).start();
  open.push(origin);
  const gateway = new TestProxy();
  open.push(gateway);
  const backends = [{ url: origin.url, http2: true }];
  await gateway.apply({ routes: { all: { path: "/s", path_prefix: true, backends, ...route } } });
  const client = new Http2Client(gateway.port);
  open.push(client);
  return { origin, gateway, client };
}

const CALL = { ":method": "POST", ":path": "/s/m", "content-type": "application/grpc", te: "trailers" };

describe("a call of gRPC that the gateway fails", () => {
  it("is answered with a status of gRPC and nothing else", async () => {
    const { client, gateway } = await between((stream) => stream.close(constants.NGHTTP2_INTERNAL_ERROR));
    const noRoute = await client.open({ ...CALL, ":path": "/x" }).answer();
    assert.deepEqual([noRoute.status, noRoute.headers["grpc-status"], noRoute.body], [200, "12", ""]);
    assert.equal(noRoute.headers["content-type"], "application/grpc");
    const failed = await client.open(CALL).answer();
    assert.equal(failed.headers["grpc-status"], "14");
    assert.match(String(failed.headers["grpc-message"]), /^RW_UPSTREAM_RESET: /);
    assert.equal(gateway.state.sum("gatewayFailures"), 1);
    const old = gateway
      .client()
      .send("POST /x HTTP/1.1\r\nHost: a\r\nContent-Type: application/grpc\r\nContent-Length: 0\r\n\r\n");
    assert.match(await old.until(/\r\n\r\n$/), /^HTTP\/1\.1 200 OK\r\n.*Content-Length: 0\r\ngrpc-status: 12\r\n/s);
  });

  it("is answered as HTTP when it is no call of gRPC", async () => {
    const { client } = await between(() => {});
    assert.equal(
      (await client.open({ ...CALL, ":path": "/x", "content-type": "application/json" }).answer()).status,
      404,
    );
    assert.equal((await client.get("/x", { "content-type": "application/grpc" })).status, 404);
  });

  it("after its answer has begun ends with the status in its trailers", async () => {
    const { client } = await between((stream) => {
      stream.respond({ ":status": 200, "content-type": "application/grpc" });
      stream.write("begun", () => setImmediate(() => stream.session?.destroy()));
    });
    const { body, trailers } = await client.open(CALL).answer();
    assert.deepEqual([body, trailers?.["grpc-status"]], ["begun", "14"]);
  });
});

describe("the deadline of a call of gRPC", () => {
  it("ends the call everywhere when it is over, before and after the answer has begun", async () => {
    for (const isBegun of [false, true]) {
      const { client, origin } = await between((stream) => {
        if (isBegun) stream.respond({ ":status": 200, "content-type": "application/grpc" });
      });
      const { headers, trailers } = await client.open({ ...CALL, "grpc-timeout": "20m" }).answer();
      assert.equal((isBegun ? trailers : headers)?.["grpc-status"], "4");
      await eventually(() => origin.streams[0]!.destroyed, "the end of the stream");
      assert.equal(origin.streams[0]!.rstCode, constants.NGHTTP2_CANCEL);
    }
  });

  it("is told to the target, and is forgotten with the answer", async () => {
    const { client, gateway, origin } = await between((stream, headers) => {
      stream.respond(
        { ":status": 200, "content-type": "application/grpc", "x-got": headers["grpc-timeout"] },
        { endStream: true },
      );
    });
    const { headers } = await client.open({ ...CALL, "grpc-timeout": "1m" }).answer();
    assert.ok(["1m", undefined].includes(headers["x-got"] as string | undefined));
    const later = await client.open({ ...CALL, "grpc-timeout": "1H" }).answer();
    assert.equal(later.headers["x-got"], "1H");
    assert.equal(gateway.state.sum("activeRequests"), 0);
    assert.equal(origin.sessions.length, 1);
  });

  it("of a request that is no call of gRPC is not kept", async () => {
    const { client } = await between((stream) => {
      setTimeout(() => stream.respond({ ":status": 204 }, { endStream: true }), 20);
    });
    const { status } = await client.open({ ...CALL, "content-type": "text/plain", "grpc-timeout": "1n" }).answer();
    assert.equal(status, 204);
  });
});
