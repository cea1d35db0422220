import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import { binaryHeader, ipv4 } from "../testing/binary-proxy-header.ts";
import { FRAME, framesIn, PREFACE } from "../testing/http2-client.ts";
import { answering, eventually, ok, type RawClient, type RawOrigin, TestProxy } from "../testing/test-proxy.ts";

const LINE = "PROXY TCP4 203.0.113.7 192.0.2.2 56324 443\r\n";
const BINARY = binaryHeader(0x21, 0x11, ipv4("203.0.113.7")).toString("latin1");
const LOCAL = binaryHeader(0x20, 0, "").toString("latin1");
const GET = "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 198.51.100.9\r\n\r\n";

const open: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  for (const part of open.splice(0).reverse()) await part.stop();
});

async function gatewayWith(
  proxyProtocol: object,
  settings: Readonly<Record<string, unknown>> = {},
): Promise<{ gateway: TestProxy; upstream: RawOrigin }> {
  const upstream = await answering(ok("hi")).start();
  const gateway = new TestProxy();
  open.push(upstream, gateway);
  await gateway.apply({
    routes: { all: { path: "/", path_prefix: true, backends: [{ url: upstream.url }] } },
    listeners: {
      http: {
        address: "127.0.0.1:0",
        http: { idle_timeout: "1h" },
        proxy_protocol: { enabled: true, ...proxyProtocol },
      },
    },
    settings,
  });
  return { gateway, upstream };
}

function forwardedFor({ received }: RawOrigin): string | undefined {
  return /X-Forwarded-For: (.*)\r\n/.exec(received.join(""))?.[1];
}

describe("a connection with a PROXY header", () => {
  for (const [version, header] of [
    ["1", LINE],
    ["2", BINARY],
  ] as const) {
    it(`of version ${version} is the client's that it names, for the upstream and the access log`, async () => {
      const { gateway, upstream } = await gatewayWith({}, { access_log: { enabled: true } });
      const client = gateway.client().send(header + GET);
      await client.until(/hi$/);
      await client.send(GET).until(/hi$/);
      assert.equal(forwardedFor(upstream), "203.0.113.7");
      assert.deepEqual(
        gateway.accessLines().map((line) => line.client),
        ["203.0.113.7", "203.0.113.7"],
      );
    });

    it(`of version ${version} may come in any pieces`, async () => {
      const { gateway, upstream } = await gatewayWith({});
      const client = gateway.client();
      for (const octet of header + GET) {
        client.send(octet);
        await new Promise((sent) => setImmediate(sent));
      }
      await client.until(/hi$/);
      assert.equal(forwardedFor(upstream), "203.0.113.7");
    });
  }

  it("is trusted as the client that it names is, not as the proxy", async () => {
    const ofClient = await gatewayWith({}, { trusted_proxies: { cidrs: ["203.0.113.0/24"] } });
    await ofClient.gateway
      .client()
      .send(BINARY + GET)
      .until(/hi$/);
    assert.equal(forwardedFor(ofClient.upstream), "198.51.100.9, 203.0.113.7");
    const ofProxy = await gatewayWith({}, { trusted_proxies: { cidrs: ["127.0.0.0/8"] } });
    await ofProxy.gateway
      .client()
      .send(BINARY + GET)
      .until(/hi$/);
    assert.equal(forwardedFor(ofProxy.upstream), "203.0.113.7");
  });

  it("is the proxy's own where the proxy speaks for itself", async () => {
    const { gateway, upstream } = await gatewayWith({});
    await gateway
      .client()
      .send(LOCAL + GET)
      .until(/hi$/);
    await gateway.client().send(`PROXY UNKNOWN\r\n${GET}`).until(/hi$/);
    assert.equal(forwardedFor(upstream), "127.0.0.1");
  });

  it("may go on with HTTP/2", async () => {
    const { gateway } = await gatewayWith({});
    const client = gateway.client().send(LINE + PREFACE);
    await eventually(() => framesIn(client.received).some(({ type }) => type === FRAME.settings), "settings of HTTP/2");
  });
});

describe("a listener that wants PROXY headers", () => {
  const closed = (client: RawClient) => eventually(() => client.isClosed, "the end of the connection");

  it("closes what begins otherwise, without a word and without a request upstream, and counts it", async () => {
    const { gateway, upstream } = await gatewayWith({});
    for (const text of [GET, PREFACE, "\x16\x03\x01"]) {
      const client = gateway.client().send(text);
      await closed(client);
      assert.equal(client.received, "");
    }
    await closed(gateway.client().send(`PROXY TCP4 nobody nowhere 0 0\r\n${GET}`));
    assert.equal(gateway.state.sum("proxyHeadersMissing"), 3);
    assert.equal(gateway.state.sum("proxyHeadersMalformed"), 1);
    assert.deepEqual(upstream.received, []);
    await gateway
      .client()
      .send(LINE + GET)
      .until(/hi$/);
  });

  it("waits no longer than it is told, however the header trickles in", async () => {
    const { gateway } = await gatewayWith({ timeout: "100ms" });
    const silent = gateway.client();
    const slow = gateway.client().send(LINE.slice(0, 20));
    await closed(silent);
    await closed(slow);
    assert.equal(gateway.state.sum("proxyHeadersTimedOut"), 2);
    assert.equal(gateway.state.sum("activeConnections"), 0);
  });

  it("does not count who connects to see whether it is there", async () => {
    const { gateway } = await gatewayWith({});
    const probe = gateway.client();
    await eventually(() => gateway.state.sum("connectionsTotal") === 1, "a connection");
    probe.close();
    await gateway
      .client()
      .send(LINE + GET)
      .until(/hi$/);
    const faults = ["proxyHeadersMissing", "proxyHeadersMalformed", "proxyHeadersTimedOut"] as const;
    assert.equal(gateway.state.sum(...faults), 0);
  });

  it("wants them from its proxies only: from elsewhere they are no HTTP, and nobody is believed", async () => {
    const { gateway, upstream } = await gatewayWith({ cidrs: ["192.0.2.0/24"] });
    await gateway.client().send(GET).until(/hi$/);
    assert.equal(forwardedFor(upstream), "127.0.0.1");
    assert.match(
      await gateway
        .client()
        .send(LINE + GET)
        .untilClosed(),
      /^HTTP\/1.1 400 /,
    );
    const { gateway: another } = await gatewayWith({ cidrs: ["127.0.0.0/8"] });
    await closed(another.client().send(GET));
    await another
      .client()
      .send(LINE + GET)
      .until(/hi$/);
  });
});
