import assert from "node:assert/strict";
import { constants, type ServerHttp2Stream } from "node:http2";
import { afterEach, describe, it } from "node:test";
import { CALL_STATUSES } from "../../counters/call-statuses.ts";
import { NO_ROUTE } from "../../counters/route-slots.ts";
import { Http2Client } from "../../testing/http2-client.ts";
import { Http2Origin, type Respond } from "../../testing/http2-origin.ts";
import { answering, eventually, TestProxy } from "../../testing/test-proxy.ts";

const open: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  for (const part of open.splice(0).reverse()) await part.stop();
});

/** What is counted of calls, by route and status. */
function counted({ state, routes }: TestProxy): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const [route, slot] of [...routes.entries(), [NO_ROUTE.id, NO_ROUTE.slot] as const])
    for (const [at, count] of state.route(slot).calls.entries())
      if (count > 0) counts[`${route} ${CALL_STATUSES[at]}`] = count;
  return counts;
}

async function between(respond: Respond) {
  const origin = await new Http2Origin(respond).start();
  const gateway = new TestProxy();
  const client = new Http2Client(await portOf(gateway, origin.url));
  open.push(origin, gateway, client);
  return { gateway, client };
}

async function portOf(gateway: TestProxy, url: string): Promise<number> {
  await gateway.apply({ routes: { s: { path: "/s", path_prefix: true, backends: [{ url, http2: true }] } } });
  return gateway.port;
}

const CALL = { ":method": "POST", ":path": "/s/m", "content-type": "application/grpc", te: "trailers" };
const head = { ":status": 200, "content-type": "application/grpc" };

function endWith(stream: ServerHttp2Stream, trailers: Record<string, string>): void {
  stream.respond(head, { waitForTrailers: true });
  stream.on("wantTrailers", () => stream.sendTrailers(trailers));
  stream.end("message");
}

describe("calls of gRPC are counted by how they end:", () => {
  const ends: readonly [what: string, respond: Respond, status: string][] = [
    ["with a status behind the answer", (stream) => endWith(stream, { "grpc-status": "0" }), "OK"],
    [
      "with an answer that is nothing but its end",
      (stream) => stream.respond({ ...head, "grpc-status": "16" }, { endStream: true }),
      "UNAUTHENTICATED",
    ],
    ["with a status that nobody knows", (stream) => endWith(stream, { "grpc-status": "17" }), "UNKNOWN"],
    ["with what is no number", (stream) => endWith(stream, { "grpc-status": "1e1" }), "UNKNOWN"],
    ["without a status", (stream) => endWith(stream, { "x-other": "0" }), "none"],
    [
      "with an answer of somebody who does not speak gRPC",
      (stream) => stream.respond({ ":status": 502 }, { endStream: true }),
      "none",
    ],
    ["by a target that fails", (stream) => stream.close(constants.NGHTTP2_INTERNAL_ERROR), "UNAVAILABLE"],
    [
      "by a target that fails after its answer has begun",
      (stream) => {
        stream.respond(head);
        stream.write("begun", () => setImmediate(() => stream.session?.destroy()));
      },
      "UNAVAILABLE",
    ],
  ];
  for (const [what, respond, status] of ends)
    it(what, async () => {
      const { client, gateway } = await between(respond);
      await client.open(CALL).answer();
      assert.deepEqual(counted(gateway), { [`s ${status}`]: 1 });
    });

  it("of gRPC-Web as well", async () => {
    const { client, gateway } = await between((stream) => endWith(stream, { "grpc-status": "5" }));
    for (const type of ["application/grpc-web", "application/grpc-web-text+proto"])
      await client.open({ ...CALL, "content-type": type }).answer();
    await client.open({ ...CALL, "content-type": "application/grpc-web", ":path": "/x" }).answer();
    assert.deepEqual(counted(gateway), { "s NOT_FOUND": 2, "_none UNIMPLEMENTED": 1 });
  });

  it("when the caller goes away, or its time is over", async () => {
    const { client, gateway } = await between(() => {});
    const gone = client.open(CALL);
    await eventually(() => gateway.state.sum("activeRequests") === 1, "the call is served");
    gone.stream.close(constants.NGHTTP2_CANCEL);
    await client.open({ ...CALL, "grpc-timeout": "20m" }).answer();
    await eventually(() => gateway.state.sum("activeRequests") === 0, "both are over");
    assert.deepEqual(counted(gateway), { "s CANCELLED": 1, "s DEADLINE_EXCEEDED": 1 });
  });

  it("and other requests are not, whatever they carry", async () => {
    const { client, gateway } = await between((stream) => endWith(stream, { "grpc-status": "0" }));
    for (const type of ["application/json", "application/grpcx", "application/grpc-webs", "text/grpc"])
      await client.open({ ...CALL, "content-type": type }).answer();
    await client.open({ ...CALL, ":method": "GET" }).answer();
    assert.deepEqual(counted(gateway), {});
  });

  it("also over HTTP/1.1, in whose bodies nobody looks for a status", async () => {
    const origin = await answering(
      "HTTP/1.1 200 OK\r\nContent-Type: application/grpc-web\r\nContent-Length: 1\r\n\r\nx",
    ).start();
    const gateway = new TestProxy();
    open.push(origin, gateway);
    await gateway.apply({ routes: { s: { path: "/s", backends: [{ url: origin.url }] } } });
    const type = "Content-Type: application/grpc-web+proto\r\nContent-Length: 0\r\n\r\n";
    await gateway.client().send(`POST /s HTTP/1.1\r\nHost: a\r\n${type}`).until(/x$/);
    assert.deepEqual(counted(gateway), { "s none": 1 });
  });
});
