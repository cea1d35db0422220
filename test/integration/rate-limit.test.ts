import assert from "node:assert/strict";
import { connect } from "node:net";
import { after, describe, it } from "node:test";
import { toConfiguration } from "../../src/config/compile.ts";
import { parseDocument, toResources } from "../../src/config/document.ts";
import { Language } from "../../src/config/language.ts";
import { systemClock } from "../../src/core/clock.ts";
import { silentLogger, silentMeter } from "../../src/core/ports.ts";
import { hashApiKey } from "../../src/plugins/api_key/plugin.ts";
import { PLUGINS } from "../../src/plugins/index.ts";
import { Supervisor } from "../../src/proxy/supervisor.ts";
import { answering, ok } from "../../src/proxy/testing/test-proxy.ts";
import { eventually } from "../support/eventually.ts";

const plugins = [new URL("../../src/plugins/index.ts", import.meta.url).href];
const CONNECTIONS = 8;
const REQUESTS_EACH = 100;

describe("a rate limit under load from many connections to two workers", async () => {
  const upstream = await answering(ok("hi")).start();
  const supervisor = new Supervisor({
    workers: 2,
    plugins,
    logger: silentLogger,
    meter: silentMeter,
    clock: systemClock,
  });
  await supervisor.start();
  after(async () => {
    await supervisor.stop(AbortSignal.timeout(5_000));
    await upstream.stop();
  });

  async function apply(limit: string): Promise<void> {
    const document = parseDocument(
      new Language(PLUGINS),
      `
listeners: [{ id: http, address: "127.0.0.1:0" }]
consumers: { alice: { api_key: { keys: [{ hash: "${hashApiKey("k")}" }] } } }
api_key: {}
routes:
  - { id: api, path: /, backends: [{ url: "${upstream.url}" }], rate_limit: ${limit} }
`,
    );
    assert.ok(document.ok, JSON.stringify(document));
    const resources = toResources(document.value);
    const configuration = toConfiguration(new Language(PLUGINS), resources, { resolveSecret: () => assert.fail() });
    assert.ok(configuration.ok);
    await (await supervisor.prepare(configuration.value)).commit();
  }

  /** How many of all requests were let through. */
  async function load(): Promise<{ through: number; limited: number }> {
    const port = Number(supervisor.listeners()[0]!.address.split(":").at(-1));
    const texts = await Promise.all(
      Array.from({ length: CONNECTIONS }, async () => {
        const socket = connect(port, "127.0.0.1");
        let text = "";
        socket.on("data", (octets) => {
          text += octets.toString("latin1");
        });
        socket.write("GET / HTTP/1.1\r\nHost: a\r\nX-API-Key: k\r\n\r\n".repeat(REQUESTS_EACH));
        await eventually("every request is answered", () => text.split("HTTP/1.1 ").length - 1 === REQUESTS_EACH);
        socket.destroy();
        return text;
      }),
    );
    const count = (status: string) => texts.join("").split(`HTTP/1.1 ${status} `).length - 1;
    return { through: count("200"), limited: count("429") };
  }

  for (const algorithm of ["token_bucket", "sliding_window"])
    it(`lets exactly as many through as it says, by ${algorithm}, and keeps its count when the configuration changes`, async () => {
      await apply(`{ rate: 100, period: 24h, key: consumer, algorithm: ${algorithm} }`);
      const { through, limited } = await load();
      assert.deepEqual({ through, limited }, { through: 100, limited: CONNECTIONS * REQUESTS_EACH - 100 });
      await apply(`{ rate: 101, period: 24h, key: consumer, algorithm: ${algorithm} }`);
      assert.equal((await load()).through, 1);
      await apply(`{ rate: 1, period: 1ms, key: ip }`);
    });
});
