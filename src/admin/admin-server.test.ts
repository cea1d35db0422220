import assert from "node:assert/strict";
import { request } from "node:http";
import { describe, it, type TestContext } from "node:test";
import type { AdminViews } from "./admin-operations.ts";
import {
  controlPlaneViews,
  SAMPLE_DATA_PLANE,
  SAMPLE_YAML,
  SampleDesk,
  SampleFleet,
  SampleGateway,
  sampleNode,
  sharedViews,
  startAdmin,
} from "./testing.ts";

async function serve(test: TestContext, views: AdminViews): Promise<string> {
  const server = await startAdmin(views);
  test.after(() => server.stop(AbortSignal.timeout(2_000)));
  return server.url;
}

function controlPlane(desk = new SampleDesk(), fleet = new SampleFleet()): AdminViews {
  return { ...sharedViews(), ...controlPlaneViews(desk, fleet) };
}

const dataPlane = (): AdminViews => ({
  ...sharedViews(),
  role: "data_plane",
  node: { status: () => SAMPLE_DATA_PLANE },
});
const standalone = (gateway = new SampleGateway(), reload = new SampleDesk()): AdminViews => ({
  ...sharedViews(gateway),
  role: "standalone",
  reload,
});

const json = async (response: Response) => JSON.parse(await response.text());
const post = (url: string, body: string, headers: Record<string, string> = {}) =>
  fetch(url, { method: "POST", body, headers: { "content-type": "application/yaml", ...headers } });

/** Answers status for a request with headers that fetch would not send. */
function statusWith(url: string, options: { method?: string; headers: Record<string, string> }): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  request(url, options, (response) => resolve(response.resume().statusCode!))
    .on("error", reject)
    .end();
  return promise;
}

describe("AdminServer", () => {
  it("says which port is taken and what to do", async (test) => {
    const port = Number(new URL(await serve(test, standalone())).port);
    await assert.rejects(
      startAdmin(standalone(), { admin: { port } }),
      /cannot listen on 127\.0\.0\.1:\d+: another program listens there.*admin\.port/,
    );
  });

  it("answers 404 for endpoints of another role and 405 with Allow for another method", async (test) => {
    const url = await serve(test, standalone());
    for (const path of ["/cluster/nodes", "/cluster/status", "/api/v1/config", "/api/v1/config/hash", "/nothing"]) {
      const response = await fetch(url + path);
      assert.equal(response.status, 404, path);
      assert.equal(response.headers.get("content-type"), "application/problem+json");
      assert.equal((await json(response)).code, "RW_NOT_FOUND");
    }
    const wrong = await fetch(`${url}/drain`, { method: "PUT", body: "x" });
    assert.equal(wrong.status, 405);
    assert.equal(wrong.headers.get("allow"), "GET, HEAD, POST, DELETE");
    assert.equal((await json(wrong)).code, "RW_ADMIN_METHOD_NOT_ALLOWED");
    const head = await fetch(`${url}/health`, { method: "HEAD" });
    assert.equal(head.status, 200);
  });

  it("answers 413 for a body beyond the limit and 400 for one that is not UTF-8", async (test) => {
    const url = await serve(test, controlPlane());
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    const headers = { "content-length": String(33 * 1024 * 1024) };
    const large = request(`${url}/api/v1/config`, { method: "POST", headers }, (response) => {
      resolve(response.statusCode!);
      large.destroy();
    });
    large.on("error", reject).flushHeaders();
    assert.equal(await promise, 413);
    const binary = await fetch(`${url}/api/v1/config`, { method: "POST", body: new Uint8Array([0xff, 0xfe]) });
    assert.equal(binary.status, 400);
    assert.match((await json(binary)).detail, /UTF-8/);
  });

  it("keeps web pages of others out: foreign Origin, and a Host that is a rebound name", async (test) => {
    const url = await serve(test, standalone());
    const host = new URL(url).host;
    const drain = (headers: Record<string, string>) => statusWith(`${url}/drain`, { method: "POST", headers });
    assert.equal(await drain({ origin: "https://evil.example" }), 403);
    assert.equal(await drain({ origin: "null" }), 403);
    assert.equal(await drain({ host: "evil.example:8081" }), 403);
    assert.equal(await drain({ origin: `http://${host}` }), 200);
    assert.equal(await drain({ host: `localhost:${new URL(url).port}` }), 200);
  });

  it("shows nothing of an unexpected error but its code", async (test) => {
    const gateway = new SampleGateway();
    gateway.healthChecks = () => {
      throw new Error("secret cause");
    };
    const response = await fetch(`${await serve(test, standalone(gateway))}/health`);
    assert.equal(response.status, 500);
    assert.doesNotMatch(await response.text(), /secret/);
  });

  it("stops although a client keeps a request open", async () => {
    const desk = new SampleDesk();
    const asked = Promise.withResolvers<void>();
    desk.push = () => {
      asked.resolve();
      return new Promise(() => {});
    };
    const server = await startAdmin(controlPlane(desk));
    const hanging = post(`${server.url}/api/v1/config`, SAMPLE_YAML).catch((error: unknown) => error);
    await asked.promise;
    await server.stop(AbortSignal.timeout(50));
    assert.ok((await hanging) instanceof Error);
  });
});

describe("admin API of every role", () => {
  it("reports health: degraded parts leave it at 200, a failing one makes it 503", async (test) => {
    const gateway = new SampleGateway();
    const url = await serve(test, standalone(gateway));
    const well = await json(await fetch(`${url}/healthz`));
    assert.deepEqual(well.checks, { backends: { status: "ok", total_routes: 1, healthy_routes: 1 } });
    assert.equal(well.status, "ok");
    gateway.checks = [{ name: "cache", status: "degraded", detail: "the disk is full" }];
    const degraded = await fetch(`${url}/health`);
    assert.equal(degraded.status, 200);
    assert.equal((await json(degraded)).status, "degraded");
    gateway.healthyRoutes = 0;
    assert.equal((await fetch(`${url}/health`)).status, 503);
  });

  it("says in /ready why it wants no traffic", async (test) => {
    const gateway = new SampleGateway();
    gateway.configuration = () => undefined;
    const url = await serve(test, { ...dataPlane(), gateway });
    gateway.drain();
    const response = await fetch(`${url}/readyz`);
    assert.equal(response.status, 503);
    assert.deepEqual(await json(response), {
      status: "not_ready",
      routes: 0,
      healthy_routes: 1,
      listeners: 1,
      reasons: ["server is draining", "data plane has no config from control plane"],
    });
  });

  it("drains and takes traffic again", async (test) => {
    const url = await serve(test, standalone());
    const drain = async (method: string) => json(await fetch(`${url}/drain`, { method }));
    assert.deepEqual(await drain("GET"), { draining: false });
    assert.equal((await drain("POST")).status, "draining");
    assert.equal((await drain("POST")).status, "already_draining");
    const { draining, drain_start } = await drain("GET");
    assert.ok(draining && Date.parse(drain_start) > 0);
    assert.equal((await fetch(`${url}/ready`)).status, 503);
    assert.equal((await drain("DELETE")).status, "active");
    assert.equal((await fetch(`${url}/ready`)).status, 200);
  });

  it("tells how targets and circuit breakers are, as far as somebody watches them", async (test) => {
    const gateway = new SampleGateway();
    const url = await serve(test, standalone(gateway));
    const read = async (path: string) => json(await fetch(url + path));
    const target = "http://127.0.0.1:9000";
    assert.deepEqual(await read("/backends"), [{ url: target, status: "unknown", routes: ["api"], upstreams: [] }]);
    assert.deepEqual(await read("/circuit-breakers"), {});
    const circuit = { state: "half_open", failures: 3, opened: 1 } as const;
    const place = { backend: 0, foundAt: undefined };
    const found = { health: "healthy", isEjected: false, ejections: 0, share: 1, error: undefined, circuit } as const;
    const known = { ...place, ...found };
    const checked = { latencyMs: 1.25, lastCheckMs: 0 };
    gateway.known.set("route:api", { circuit: undefined, targets: [{ ...known, ...checked }] });
    const [backend] = await read("/backends");
    assert.equal(backend.status, "healthy");
    assert.equal(backend.latency, "1.3ms");
    assert.equal(backend.last_check, "1970-01-01T00:00:00.000Z");
    const shown = { state: "half_open", failure_count: 3, opened_total: 1 };
    assert.deepEqual(await read("/circuit-breakers"), { "route:api": { targets: { [target]: shown } } });
    gateway.known.set("route:api", {
      circuit,
      targets: [{ ...known, ...checked, isEjected: true, circuit: undefined }],
    });
    assert.equal((await read("/backends"))[0].status, "unhealthy");
    assert.deepEqual(await read("/circuit-breakers"), { "route:api": shown });
  });

  it("lists routes, backends, upstreams, listeners, certificates and numbers", async (test) => {
    const url = await serve(test, standalone());
    const read = async (path: string) => json(await fetch(url + path));
    assert.deepEqual(await read("/routes"), [
      { id: "api", path: "/api", path_prefix: true, backends: 1, domains: ["api.example.com"] },
    ]);
    const match = await read("/routes/match?method=PUT&url=/x&header=X-A:%201");
    assert.deepEqual(match.others, [{ id: "api", lost_by: "path", reason: "PUT /x X-A: 1" }]);
    assert.equal((await fetch(`${url}/routes/match?method=PUT`)).status, 400, "a URL is needed");
    assert.equal((await read("/backends"))[0].url, "http://127.0.0.1:9000");
    assert.deepEqual(await read("/upstreams"), []);
    assert.deepEqual(await read("/listeners"), [{ id: "http", protocol: "http", address: "127.0.0.1:8080" }]);
    assert.deepEqual(await read("/certificates"), []);
    const stats = await read("/stats");
    assert.deepEqual(stats.backends, { api: 1 });
    assert.equal(stats.requests_total, 1_000);
    const metrics = await fetch(`${url}/metrics`);
    assert.equal(metrics.headers.get("content-type"), "text/plain; version=0.0.4");
    assert.equal(await metrics.text(), "runway_up 1\n");
  });

  it("shows certificates with what is left of them, and is degraded a week before one ends", async (test) => {
    const gateway = new SampleGateway();
    const url = await serve(test, standalone(gateway));
    const certificate = { listenerId: "https", certFile: "a.crt", keyFile: "a.key", hosts: ["a.test"], serial: "0A" };
    const inDays = (days: number) => [{ ...certificate, notAfterMs: Date.now() + (days + 0.5) * 86_400_000 }];
    const health = async () => json(await fetch(`${url}/health`));
    gateway.shownCertificates = inDays(30);
    const [shown] = await json(await fetch(`${url}/certificates`));
    const { not_after, ...manual } = shown.manual;
    assert.deepEqual(
      { ...shown, manual },
      {
        listener_id: "https",
        mode: "manual",
        manual: { cert_file: "a.crt", key_file: "a.key", hosts: ["a.test"], days_left: 30, serial: "0A" },
      },
    );
    assert.ok(Date.parse(not_after) > Date.now());
    assert.equal((await health()).checks.tls_certificates.status, "ok");
    gateway.shownCertificates = inDays(6);
    const { status, checks } = await health();
    assert.equal(status, "degraded");
    assert.match(checks.tls_certificates.detail, /^a\.crt of the listener https ends 20/);
  });

  it("reloads; a reload that fails is 422, and the history has the last one first", async (test) => {
    const desk = new SampleDesk();
    const views = standalone(new SampleGateway(), desk);
    const url = await serve(test, views);
    const good = await fetch(`${url}/reload`, { method: "POST" });
    assert.equal(good.status, 200);
    assert.equal((await json(good)).Success, true);
    desk.refusal = "cannot listen on 127.0.0.1:8080: address already in use";
    const bad = await fetch(`${url}/reload`, { method: "POST" });
    assert.equal(bad.status, 422);
    assert.equal((await json(bad)).problems[0].message, desk.refusal);
    for (let index = 0; index < 60; index++)
      views.history.record({ outcome: "accepted", timestampMs: index, changes: [`route:r${index} added`] });
    const history = await json(await fetch(`${url}/reload/status`));
    assert.equal(history.length, 50);
    assert.deepEqual(history[0].Changes, ["route:r59 added"]);
  });
});

describe("admin API of a data plane", () => {
  it("shows its cluster status with the hash as a bare integer", async (test) => {
    const text = await (await fetch(`${await serve(test, dataPlane())}/cluster/status`)).text();
    assert.match(
      text,
      /^\{"role":"data_plane","cp_address":"cp.example.com:9443","connected":true,"config_version":3,/,
    );
    assert.match(text, /"config_hash":12345678901234567,"node_id":"edge-1","has_config":true/);
    assert.match(text, /"config_hash_hex":"002bdc545d6b4b87"/);
  });

  it("refuses POST /reload in the contract's words", async (test) => {
    const response = await fetch(`${await serve(test, dataPlane())}/reload`, { method: "POST" });
    assert.equal(response.status, 403);
    assert.match(response.headers.get("content-type")!, /^text\/plain/);
    assert.equal(await response.text(), "config changes must go through control plane");
  });
});

describe("admin API of a control plane", () => {
  it("takes back what it gave without making a version", async (test) => {
    const url = await serve(test, controlPlane());
    const given = await fetch(`${url}/api/v1/config`);
    assert.equal(given.headers.get("content-type"), "application/yaml");
    const answer = await json(await post(`${url}/api/v1/config`, await given.text()));
    assert.equal(answer.Success, true);
    assert.equal(answer.Version, 1);
    assert.deepEqual(answer.Changes, []);
  });

  it("commits a change, reports it, and hands on author and message", async (test) => {
    const desk = new SampleDesk();
    const url = await serve(test, controlPlane(desk));
    const response = await post(`${url}/api/v1/config?message=second%20route`, SAMPLE_YAML.replaceAll("api", "api-v2"));
    assert.equal(response.status, 200);
    const text = await response.text();
    assert.match(
      text,
      /^\{"Success":true,"Timestamp":"[^"]+","Changes":\["route:api removed","route:api-v2 added"\],"Version":2,"Hash":\d+\}\n$/,
    );
    assert.deepEqual(desk.pushes[0]?.author, "anonymous@127.0.0.1");
    assert.deepEqual(desk.pushes[0]?.message, "second route");
    const { version, hash_hex, epoch } = await json(await fetch(`${url}/api/v1/config/hash`));
    assert.equal(version, 2);
    assert.match(hash_hex, /^[0-9a-f]{16}$/);
    assert.equal(epoch, "5a3f01c2-0000");
  });

  it("only tells what would change on a dry run", async (test) => {
    const url = await serve(test, controlPlane());
    const answer = await json(await post(`${url}/api/v1/config?dry_run=true`, "routes: []"));
    assert.deepEqual(answer.Changes, ["route:api removed"]);
    assert.equal(answer.DryRun, true);
    assert.equal((await json(await fetch(`${url}/api/v1/config/hash`))).version, 1);
  });

  it("names every problem of a wrong document: 400; of one that cannot be applied: 422", async (test) => {
    const desk = new SampleDesk();
    const url = await serve(test, controlPlane(desk));
    const wrong = await post(`${url}/api/v1/config`, "routes:\n  - id: a\n    path: nope\nlisteners: 7\n");
    assert.equal(wrong.status, 400);
    const document = await json(wrong);
    assert.equal(document.code, "RW_CONFIGURATION_INVALID");
    assert.ok(document.problems.length >= 2);
    assert.ok(document.problems.every((problem: { line?: number }) => problem.line !== undefined));
    assert.equal((await post(`${url}/api/v1/config`, " \n")).status, 400);
    desk.refusal = "cannot listen";
    assert.equal((await post(`${url}/api/v1/config`, SAMPLE_YAML)).status, 422);
  });

  it("refuses a change that depends on a version that is not current: 412", async (test) => {
    const url = await serve(test, controlPlane());
    const etag = (await fetch(`${url}/api/v1/config`)).headers.get("etag")!;
    assert.equal(etag, '"1-5a3f01c2"');
    const change = (tag: string) => post(`${url}/api/v1/config`, "routes: []", { "if-match": tag });
    assert.equal((await change('"7-5a3f01c2"')).status, 412);
    assert.equal((await change('"1-ffffffff"')).status, 412);
    assert.equal((await change(etag)).status, 200);
    assert.equal((await change(etag)).status, 412);
    assert.equal((await change("*")).status, 200);
  });

  it("waits for the fleet when asked: 200 when all have applied, 202 naming who has not", async (test) => {
    const fleet = new SampleFleet(sampleNode("a"), sampleNode("b"));
    const url = await serve(test, controlPlane(new SampleDesk(), fleet));
    const whole = await post(`${url}/api/v1/config?wait=applied&timeout=2s`, "routes: []");
    assert.equal(whole.status, 200);
    assert.deepEqual((await json(whole)).Fleet, {
      Complete: true,
      Applied: ["a", "b"],
      Missing: [],
      Slowest: { NodeId: "b", AfterMs: 12.5 },
    });
    fleet.missing = ["b"];
    const part = await post(`${url}/api/v1/config?wait=applied`, SAMPLE_YAML);
    assert.equal(part.status, 202);
    assert.deepEqual((await json(part)).Fleet.Missing, [{ NodeId: "b", Why: "pending", Detail: "no answer in time" }]);
  });

  it("refuses unknown and wrong query parameters by name", async (test) => {
    const url = await serve(test, controlPlane());
    const response = await post(`${url}/api/v1/config?dryrun=true&timeout=5m`, SAMPLE_YAML);
    assert.equal(response.status, 400);
    const { problems, detail } = await json(response);
    assert.equal(problems.length, 2);
    assert.match(detail, /dry_run, wait, timeout/);
  });

  it("lists nodes as the contract spells them and forgets only those that are away", async (test) => {
    const problems = [{ path: "", kind: "listener", id: "http", message: "address already in use" }];
    const fleet = new SampleFleet(
      sampleNode("a"),
      sampleNode("b", { status: "offline", inSync: false, refused: { version: 2, problems } }),
    );
    const url = await serve(test, controlPlane(new SampleDesk(), fleet));
    const text = await (await fetch(`${url}/cluster/nodes`)).text();
    assert.match(
      text,
      /^\[\{"node_id":"a","hostname":"host-1","version":"0.1.0","config_version":1,"config_hash":18446744073709551615,"last_heartbeat":"2026-02-25T10:30:05.000Z","status":"connected"/,
    );
    const [, second] = JSON.parse(text);
    assert.deepEqual(second.refused, { version: 2, problems });
    assert.equal(second.in_sync, false);
    const forget = async (id: string) => (await fetch(`${url}/cluster/nodes/${id}`, { method: "DELETE" })).status;
    assert.equal(await forget("a"), 409);
    assert.equal(await forget("b"), 200);
    assert.equal(await forget("b"), 404);
  });
});
