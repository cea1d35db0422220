import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import { TestProxy } from "../testing/test-proxy.ts";
import { MoodyOrigin } from "./testing/moody-origin.ts";

const open: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  for (const part of open.splice(0).reverse()) await part.stop();
});

const CLIENTS = Array.from({ length: 40 }, (_, index) => `203.0.113.${index}`);

/** Who answers each of the clients, all of whom come through one proxy that is believed or not. */
async function whoAnswers(cidrs: readonly string[]): Promise<string[]> {
  const origins = await Promise.all([..."abcd"].map((name) => new MoodyOrigin(name).start()));
  const gateway = new TestProxy();
  open.push(gateway, ...origins);
  await gateway.apply({
    upstreams: { u: { backends: origins.map(({ url }) => ({ url })), load_balancer: "consistent_hash" } },
    routes: { r: { path: "/", path_prefix: true, upstream: "u" } },
    settings: { trusted_proxies: { cidrs } },
  });
  const ask = (client: string) =>
    gateway
      .client()
      .get("/", `X-Forwarded-For: ${client}`)
      .until(/\r\n\r\n.$/);
  return Promise.all(CLIENTS.map(async (client) => (await ask(client)).at(-1)!));
}

describe("a hash of the client's address", () => {
  it("is one of who asks, not of the proxy before the gateway", async () => {
    const answered = await whoAnswers(["127.0.0.0/8"]);
    assert.equal(new Set(answered).size, 4);
  });

  it("does not believe a stranger who says that it is somebody else", async () => {
    const answered = await whoAnswers([]);
    assert.equal(new Set(answered).size, 1);
  });
});
