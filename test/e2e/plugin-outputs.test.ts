import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { generateKeyPair, SignJWT } from "jose";
import { hashApiKey } from "../../src/plugins/api_key/plugin.ts";
import { hashPassword } from "../../src/plugins/basic_auth/password-hash.ts";
import { PLUGINS } from "../../src/plugins/index.ts";
import { Member } from "../support/cluster.ts";
import { eventually } from "../support/eventually.ts";

/** What clients and services prove who they are with. None of it is to be seen anywhere but where it is sent. */
const SECRETS = {
  key: "rw_key_5d1c8f7a2b",
  otherKey: "rw_key_of_elsewhere_99",
  password: "correct-horse-battery",
  wrongPassword: "guessed-0451",
  signingSecret: "a-signing-secret-of-more-than-32-bytes",
  cookie: "session-cookie-77aa31",
  bearer: "opaque-bearer-token-4e21",
  given: "header-given-by-the-decider-b7",
};

interface Request {
  readonly path?: string;
  readonly init?: RequestInit;
  readonly status: number;
  /** In the answer, by name. */
  readonly headers?: Readonly<Record<string, RegExp>>;
}

/** A plugin on a route of its own, what is sent to it, and what is to be seen of that. */
interface Row {
  readonly blocks: object;
  readonly requests: readonly Request[];
  /** All of its events, exactly. */
  readonly events: Readonly<Record<string, number>>;
  /** Lines of the log that have to be there, as JSON. */
  readonly logged?: readonly RegExp[];
}

const plain = (path: string, status = 200): Request => ({ path, status });
const withHeaders = (headers: Record<string, string>, status: number): Request => ({ init: { headers }, status });
const basic = (password: string) => ({ Authorization: `Basic ${Buffer.from(`alice:${password}`).toString("base64")}` });
const token = (alg: string, key: Parameters<SignJWT["sign"]>[0]) =>
  new SignJWT({ sub: "alice" }).setProtectedHeader({ alg }).setExpirationTime("1m").sign(key);

async function server(listener: Parameters<typeof createServer>[1]): Promise<{ server: Server; url: string }> {
  const made = createServer(listener as never);
  await new Promise<void>((resolve) => made.listen(0, "127.0.0.1", resolve));
  return { server: made, url: `http://127.0.0.1:${(made.address() as AddressInfo).port}` };
}

describe("what plugins say of what they do", async () => {
  const upstream = await server((_request, response) => {
    response.writeHead(200, { "Content-Type": "text/plain", "X-Powered-By": "x" });
    response.end("served ".repeat(1_000));
  });
  const decider = await server(({ url = "", headers }, response) => {
    const isAllowed = headers.authorization === `Bearer ${SECRETS.bearer}` && !url.includes("no");
    response.writeHead(isAllowed ? 200 : 403, { "X-Given": SECRETS.given }).end();
  });
  const rightToken = await token("HS256", Buffer.from(SECRETS.signingSecret));
  const forgedToken = await token("HS256", Buffer.alloc(40, "x"));
  const foreignToken = await token("ES256", (await generateKeyPair("ES256")).privateKey);
  const gone = "http://127.0.0.1:1";

  const rows: Record<string, Row> = {
    request_id: {
      blocks: {},
      requests: [{ status: 200, headers: { "x-correlation-id": /^[0-9a-f-]{36}$/ } }],
      events: {},
    },
    security_headers: {
      blocks: {},
      requests: [{ status: 200, headers: { "x-content-type-options": /nosniff/ } }],
      events: {},
    },
    cors: {
      blocks: { allow_origins: ["https://app.example"] },
      requests: [
        {
          init: {
            method: "OPTIONS",
            headers: { Origin: "https://evil.example", "Access-Control-Request-Method": "GET" },
          },
          status: 204,
        },
        {
          init: {
            method: "OPTIONS",
            headers: { Origin: "https://app.example", "Access-Control-Request-Method": "GET" },
          },
          status: 204,
        },
        {
          init: { headers: { Origin: "https://app.example" } },
          status: 200,
          headers: { "access-control-allow-origin": /app/ },
        },
      ],
      events: { refused: 1, preflight: 1 },
    },
    compression: {
      blocks: { algorithms: ["gzip"] },
      requests: [
        { init: { headers: { "Accept-Encoding": "gzip" } }, status: 200, headers: { "content-encoding": /gzip/ } },
      ],
      events: { gzip: 1 },
    },
    ip_filter: { blocks: { deny: ["127.0.0.0/8"] }, requests: [{ status: 403 }], events: { refused: 1 } },
    // A client that is told so asks once more on another connection (RFC 9110 §15.5.20), and `fetch` does.
    allowed_hosts: { blocks: { hosts: ["other.example"] }, requests: [{ status: 421 }], events: { refused: 2 } },
    https_redirect: {
      blocks: {},
      requests: [{ status: 307, headers: { location: /^https:/ } }],
      events: { redirected: 1 },
    },
    api_key: {
      blocks: { header: "X-Own-Key", query_param: "key" },
      requests: [
        withHeaders({ "X-Own-Key": SECRETS.otherKey }, 401),
        { path: `?a=b&key=${SECRETS.otherKey}`, status: 401 },
        withHeaders({ "X-Own-Key": SECRETS.key }, 200),
        { path: `?k%65y=${SECRETS.key}&a=b`, status: 200 },
        { status: 401 },
      ],
      events: { refused: 2, accepted: 2 },
    },
    basic_auth: {
      blocks: {},
      requests: [withHeaders(basic(SECRETS.wrongPassword), 401), withHeaders(basic(SECRETS.password), 200)],
      events: { refused: 1, accepted: 1 },
    },
    jwt: {
      blocks: { secret: "${env:SIGNING_SECRET}" },
      requests: [
        withHeaders({ Authorization: `Bearer ${forgedToken}` }, 401),
        withHeaders({ Authorization: `Bearer ${rightToken}` }, 200),
      ],
      events: { invalid_token: 1, accepted: 1 },
    },
    rate_limit: {
      blocks: { rate: 1, period: "24h" },
      requests: [{ status: 200 }, { status: 429 }],
      events: { limited: 1 },
    },
    ext_auth: {
      blocks: { url: decider.url, upstream_headers: ["X-Given"] },
      requests: [
        withHeaders({ Authorization: `Bearer ${SECRETS.bearer}`, Cookie: `s=${SECRETS.cookie}` }, 200),
        withHeaders({ Authorization: "Bearer x", Cookie: `s=${SECRETS.cookie}` }, 403),
      ],
      events: { allowed: 1, refused: 1 },
    },
    redirect: { blocks: { url: "/elsewhere" }, requests: [{ status: 302 }], events: { redirected: 1 } },
    static: { blocks: { body: "static" }, requests: [{ status: 200 }], events: { answered: 1 } },
    traffic_split: {
      blocks: {
        groups: [
          { name: "blue", weight: 1 },
          { name: "green", weight: 1, upstream: "other" },
        ],
        sticky: {},
      },
      requests: ["blue", "green", "green"].map((group) =>
        withHeaders({ Cookie: `X-Traffic-Group=${group}; s=${SECRETS.cookie}` }, 200),
      ),
      events: { blue: 1, green: 2 },
    },
    rewrite: {
      blocks: { regex: "x", replacement: "" },
      requests: [plain("/.x./y", 400), plain("/xy")],
      events: { refused: 1 },
    },
    transform: {
      blocks: { response: { headers: { set: { "X-Shown": "$path" } } } },
      requests: [{ status: 200, headers: { "x-shown": /transform/ } }],
      events: {},
    },
    mirror: {
      blocks: { upstream: "other" },
      requests: [withHeaders({ Cookie: `s=${SECRETS.cookie}`, Authorization: `Bearer ${SECRETS.bearer}` }, 200)],
      events: { answered: 1 },
    },
  };
  /** What goes wrong around plugins, each on a route of its own. */
  const failures: Record<string, Row & { readonly plugin: string }> = {
    decider_gone: {
      plugin: "ext_auth",
      blocks: { url: gone },
      requests: [withHeaders({ Authorization: `Bearer ${SECRETS.bearer}` }, 503)],
      events: { unreachable: 1 },
      logged: [
        /"plugin":"ext_auth".*"place":"route:decider_gone".*"msg":"The service that authorises requests could not be asked"/,
      ],
    },
    keys_gone: {
      plugin: "jwt",
      blocks: { jwks_url: `${gone}/keys` },
      requests: [withHeaders({ Authorization: `Bearer ${foreignToken}` }, 503)],
      events: { keys_unavailable: 1 },
      logged: [/"plugin":"jwt".*"place":"route:keys_gone".*"msg":"The keys of tokens could not be fetched"/],
    },
    mirror_gone: {
      plugin: "mirror",
      blocks: { upstream: "gone" },
      requests: [withHeaders({ Cookie: `s=${SECRETS.cookie}` }, 200)],
      events: { failed: 1 },
    },
    broken: {
      plugin: "breaks",
      blocks: {},
      requests: [withHeaders({ "X-Own-Key": SECRETS.key, Authorization: `Bearer ${SECRETS.bearer}` }, 500)],
      events: {},
      logged: [/"plugin":"breaks".*"place":"route:broken".*"route":"broken".*"msg":"A plugin failed a request"/],
    },
  };
  const all = Object.entries({ ...rows, ...failures }).map(([id, row]) => ({ id, plugin: id, ...row }));

  const directory = mkdtempSync(join(tmpdir(), "runway-plugins-"));
  const answers: string[] = [];
  let member: Member;

  before(async () => {
    const authenticates = new Set(PLUGINS.filter((plugin) => plugin.authenticates).map(({ name }) => name));
    const document = {
      admin: { port: 0 },
      workers: 2,
      extensions: ["./breaks.ts"],
      access_log: { enabled: true, query: true, headers_include: ["X-Own-Key", "User-Agent"] },
      listeners: [{ id: "http", address: "127.0.0.1:0" }],
      upstreams: {
        main: { backends: [{ url: upstream.url }] },
        other: { backends: [{ url: upstream.url }] },
        gone: { backends: [{ url: gone }] },
      },
      consumers: {
        alice: {
          api_key: { keys: [{ hash: hashApiKey(SECRETS.key) }] },
          basic_auth: { username: "alice", password_hash: await hashPassword(SECRETS.password) },
          jwt: { id: "alice" },
        },
      },
      routes: all.map(({ id, plugin, blocks }) => ({
        ...{ id, path: `/${id}`, path_prefix: true, upstream: "main", [plugin]: blocks },
        ...(authenticates.has(plugin) ? { auth: { required: true } } : {}),
      })),
    };
    const file = join(directory, "runway.yaml");
    writeFileSync(file, JSON.stringify(document));
    writeFileSync(
      join(directory, "breaks.ts"),
      `import { definePlugin } from "${new URL("../../src/sdk/index.ts", import.meta.url)}";
import { z } from "${import.meta.resolve("zod")}";
export const breaks = definePlugin({
  name: "breaks", config: z.strictObject({}), create: () => ({ onRequest() { throw new Error("it is broken"); } }),
});`,
    );
    member = new Member("plugins", file, { SIGNING_SECRET: SECRETS.signingSecret });
    await member.started();
    await member.ready();
  });
  after(async () => {
    await member.process.end("SIGKILL");
    for (const one of [upstream.server, decider.server]) {
      one.closeAllConnections();
      one.close();
    }
    rmSync(directory, { recursive: true, force: true });
  });

  const metrics = async () => (await member.admin("/metrics")).text();
  /** Of the events of a plugin in one place, how many there were. */
  async function eventsOf(plugin: string, id: string): Promise<Record<string, number>> {
    const lines = (await metrics()).matchAll(/^runway_plugin_events_total\{(.*)\} (\d+)$/gm);
    const found = Array.from(lines, ([, labels = "", count]) => ({ labels, count: Number(count) }));
    const own = found.filter(({ labels }) => labels.includes(`plugin="${plugin}",place="route:${id}"`));
    return Object.fromEntries(own.map(({ labels, count }) => [/event="([^"]*)"/.exec(labels)![1]!, count]));
  }

  it("is looked at for every plugin of the house", () => {
    assert.deepEqual(Object.keys(rows).sort(), PLUGINS.map(({ name }) => name).sort());
  });

  for (const { id, plugin, requests, events, logged = [] } of all)
    it(`is right for ${plugin}${id === plugin ? "" : ` (${id})`}`, async () => {
      for (const { path = "", init = {}, status, headers = {} } of requests) {
        const response = await member.get(`/${id}${path}`, { redirect: "manual", ...init });
        answers.push(JSON.stringify([...response.headers]) + (await response.text()));
        assert.equal(response.status, status, answers.at(-1)!.slice(0, 300));
        for (const [name, pattern] of Object.entries(headers)) assert.match(response.headers.get(name) ?? "", pattern);
      }
      const wanted = JSON.stringify(Object.entries(events).sort());
      let last = "";
      await eventually(`the events of ${id}: ${wanted}`, async () => {
        last = JSON.stringify(Object.entries(await eventsOf(plugin, id)).sort());
        return last === wanted;
      }).catch((error: Error) => assert.fail(`${error.message}, not ${last}`));
      const scrape = await metrics();
      for (const { status } of requests)
        assert.match(
          scrape,
          new RegExp(`^runway_requests_total\\{route="${id}",status="${Math.floor(status / 100)}xx"\\}`, "m"),
        );
      for (const pattern of logged)
        await eventually(`a line like ${pattern}`, () =>
          member.process.lines.some((line) => pattern.test(JSON.stringify(line))),
        );
    });

  it("knows a secret on every route, and where there is none", async () => {
    for (const path of [`/static?key=${SECRETS.key}`, `/nowhere?key=${SECRETS.key}`])
      await member.get(path, { headers: { "X-Own-Key": SECRETS.key } });
    const shown = () => member.process.lines.filter(({ path }) => String(path).endsWith("?key=(redacted)"));
    await eventually("both lines", () => shown().length === 2);
  });

  it("names every request in the access log, and no secret anywhere", async () => {
    const lines = () => member.process.lines.filter(({ msg, path }) => msg === undefined && path !== undefined);
    for (const { id, requests } of all) {
      const own = () => lines().filter(({ route }) => route === id);
      await eventually(`the lines of ${id}`, () => own().length >= requests.length);
      for (const { status } of requests)
        assert.ok(
          own().some((line) => line.status === status),
          `${id} ${status}`,
        );
    }
    assert.match(JSON.stringify(lines()), /"path":"\/api_key\?a=b&key=\(redacted\)"/);
    const outputs: Record<string, string> = {
      log: JSON.stringify(member.process.lines) + member.process.stderr,
      metrics: await metrics(),
      answers: answers.join("\n"),
    };
    for (const path of ["/routes", "/upstreams", "/backends", "/health", "/stats", "/reload/status"])
      outputs[path] = await (await member.admin(path)).text();
    const base64 = (text: string) => Buffer.from(text).toString("base64");
    const forms = (text: string) => [text, base64(text), base64(`alice:${text}`)];
    const secrets = { ...SECRETS, rightToken, forgedToken, foreignToken };
    for (const [place, text] of Object.entries(outputs))
      for (const [name, secret] of Object.entries(secrets))
        for (const form of forms(secret)) assert.ok(!text.includes(form), `${name} is in ${place}`);
  });
});
