import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { effectiveSettings } from "./effective-settings.ts";
import { variableOf } from "./environment.ts";
import { type LoadedNode, loadNode } from "./load-node.ts";
import { NodeSettingsSpec } from "./node-settings.ts";
import { describeProblem } from "./problem.ts";
import { schemaLeaves } from "./schema-tree.ts";
import { plainLanguage } from "./testing/plain-language.ts";

function load(text: string | undefined, env: Record<string, string> = {}): LoadedNode {
  const node = loadNode(plainLanguage, { text, env });
  assert.ok(node.ok, node.ok ? "" : node.problems.map(describeProblem).join("\n"));
  return node.value;
}

function problemsOf(text: string | undefined, env: Record<string, string> = {}): string[] {
  const node = loadNode(plainLanguage, { text, env });
  assert.ok(!node.ok, "no problem was found");
  return node.problems.map(describeProblem);
}

describe("a node's settings", () => {
  it("have defaults for everything", () => {
    assert.deepEqual(load(undefined).settings, NodeSettingsSpec.parse({}));
    const { admin, cluster, workers, logging } = load("listeners: []").settings;
    assert.deepEqual([admin.enabled, admin.address, admin.port], [true, "127.0.0.1", 8_081]);
    assert.deepEqual([admin.allow_unauthenticated, admin.require_authentication], [false, false]);
    assert.equal(cluster.data_plane.cache_dir, "/var/lib/runway/cluster");
    assert.deepEqual([cluster.data_plane.retry_interval, cluster.data_plane.heartbeat_interval], [5_000, 10_000]);
    assert.deepEqual([workers, logging.level, cluster.role], ["auto", "info", "standalone"]);
  });

  it("come from the file, and an address is one or a list", () => {
    const address = (text: string) =>
      load(`cluster: {data_plane: {address: ${text}}}`).settings.cluster.data_plane.address;
    assert.deepEqual(address("'a:1'"), ["a:1"]);
    assert.deepEqual(address("['a:1', 'b:2']"), ["a:1", "b:2"]);
    assert.deepEqual(address("''"), []);
  });

  it("come from the environment before the file, each in the form of its setting", () => {
    const { settings } = load("admin: {port: 1}\nworkers: 2\nlogging: {level: warn}", {
      RUNWAY_ADMIN_PORT: "9000",
      RUNWAY_ADMIN_ENABLED: "false",
      RUNWAY_WORKERS: "auto",
      RUNWAY_LOGGING_LEVEL: "debug",
      RUNWAY_CLUSTER_DATA_PLANE_ADDRESS: "a:1, b:2",
      RUNWAY_CLUSTER_DATA_PLANE_LABELS: "region=eu,zone=1",
      RUNWAY_CLUSTER_DATA_PLANE_RETRY_INTERVAL: "250ms",
      RUNWAY_CLUSTER_DATA_PLANE_NODE_ID: "",
    });
    assert.deepEqual(settings.admin, { ...settings.admin, port: 9000, enabled: false });
    assert.deepEqual([settings.workers, settings.logging.level], ["auto", "debug"]);
    assert.deepEqual(settings.cluster.data_plane.address, ["a:1", "b:2"]);
    assert.deepEqual(settings.cluster.data_plane.labels, { region: "eu", zone: "1" });
    assert.equal(settings.cluster.data_plane.retry_interval, 250);
    assert.equal(load(undefined, { RUNWAY_WORKERS: "4" }).settings.workers, 4);
  });

  it("have a variable of their own each", () => {
    const names = Array.from(schemaLeaves(NodeSettingsSpec), ({ steps }) => variableOf(steps));
    assert.equal(new Set(names).size, names.length);
    assert.ok(names.includes("RUNWAY_CLUSTER_CONTROL_PLANE_TLS_CLIENT_CA_FILE"));
  });

  it("tell of a variable that is none of them, and of a value that is wrong", () => {
    const env = { RUNWAY_ADMIN_PROT: "1", RUNWAY_ADMIN_PORT: "x", RUNWAY_CLUSTER_ROLE: "leader", RUNWAY_OTHER: "" };
    assert.deepEqual(problemsOf(undefined, env), [
      "the environment variable RUNWAY_ADMIN_PROT is no setting; did you mean RUNWAY_ADMIN_PORT?",
      'cluster.role: RUNWAY_CLUSTER_ROLE in the environment: cluster.role must be "standalone", "control_plane", or "data_plane", got "leader"',
      "admin.port: RUNWAY_ADMIN_PORT in the environment: must be a number, not text",
    ]);
  });

  it("refuse a store that is none", () => {
    assert.deepEqual(problemsOf("cluster:\n  control_plane:\n    store: mysql://db/runway\n"), [
      "line 3: cluster.control_plane.store: must be postgres://user@host:5432/database, or empty for SQLite in data_dir",
    ]);
    for (const store of ["postgres://db/runway", "${file:/run/secrets/store}", ""])
      load(`cluster: { control_plane: { store: "${store}" } }`);
  });

  it("keep the admin API on loopback unless the file says otherwise in words", () => {
    for (const address of ["localhost", "127.0.0.2", "'::1'"]) load(`admin: {address: ${address}}`);
    load("admin: {address: 0.0.0.0, allow_unauthenticated: true}");
    load("admin: {address: 0.0.0.0, enabled: false}");
    for (const address of ["0.0.0.0", "'::'", "10.0.0.1", "gateway.example"])
      assert.match(problemsOf(`admin: {address: ${address}}`)[0]!, /^line 1: admin\.address: .*allow_unauthenticated/);
  });

  it("let the admin API ask elsewhere who its callers are, where somebody can answer, and over TLS", () => {
    const tls = "tls: {cert_file: a, key_file: b}";
    load(`admin: {address: 0.0.0.0, tokens_file: t, ${tls}}`);
    load("admin: {address: 0.0.0.0, tokens_file: t, allow_plaintext: true}");
    load("admin: {address: 0.0.0.0, tls: {cert_file: a, key_file: b, client_ca_file: c, roles: {ops: viewer}}}");
    assert.match(problemsOf(`admin: {address: 0.0.0.0, ${tls}}`)[0]!, /would let nobody in.*tokens_file/);
    assert.match(problemsOf("admin: {require_authentication: true}")[0]!, /would let nobody in/);
    assert.match(problemsOf("admin: {tls: {cert_file: a}}")[0]!, /needs both cert_file and key_file/);
    assert.match(problemsOf("admin: {tls: {roles: {ops: viewer}}}")[0]!, /admin\.tls\.roles: needs/);
  });

  it("have no workers only on a control plane, which need not proxy", () => {
    assert.match(problemsOf("workers: 0")[0]!, /^line 1: workers: may be 0 only on a control plane/);
    const tls = "{enabled: true, cert_file: a, key_file: b, client_ca_file: c}";
    const role = `cluster: {role: control_plane, control_plane: {address: ':0', tls: ${tls}}}`;
    assert.equal(load(`${role}\nworkers: 0`).settings.workers, 0);
  });

  it("do not take the port of a listener", () => {
    const listeners = "listeners: [{id: a, address: ':8081'}]\n";
    assert.deepEqual(problemsOf(listeners), ["admin.port: 127.0.0.1:8081 is taken by listeners[0].address"]);
  });
});

describe("a node's overlay", () => {
  const cluster =
    "cluster: {role: data_plane, data_plane: {address: 'cp:1', tls: {enabled: true, cert_file: a, key_file: b, ca_file: c}}}\n";

  it("has a data plane's own listeners and logging", () => {
    const { overlay } = load(`${cluster}listeners: [{id: a, address: ':0'}]\nlogging: {level: warn}`, {
      RUNWAY_LOGGING_LEVEL: "debug",
    });
    assert.deepEqual(overlay, {
      listeners: [{ kind: "listener", id: "a", spec: { address: ":0" } }],
      logging: { level: "warn" },
      loggingOverride: { level: "debug" },
    });
  });

  it("is empty where the configuration is the file itself", () => {
    const { overlay } = load("listeners: [{id: a, address: ':0'}]\nlogging: {level: warn}");
    assert.deepEqual(overlay, { listeners: [], logging: {}, loggingOverride: {} });
  });
});

describe("effectiveSettings", () => {
  const node = load(
    `admin:
  port: 9000
listeners:
  - id: http
    address: ":8080"
routes:
  - id: r
    path: /
    match:
      headers: [{ name: x-key, value: geheim }]
    backends:
      - url: http://x
`,
    { RUNWAY_WORKERS: "2" },
  );
  const settings = new Map(
    effectiveSettings(plainLanguage, node).map(({ path, value, origin }) => [path, [value, origin]]),
  );

  it("say where each value comes from", () => {
    assert.deepEqual(settings.get("admin.port"), [9000, "file line 2"]);
    assert.deepEqual(settings.get("admin.address"), ["127.0.0.1", "default"]);
    assert.deepEqual(settings.get("workers"), [2, "env RUNWAY_WORKERS"]);
    assert.deepEqual(settings.get("listeners[0].address"), [":8080", "file line 5"]);
    assert.deepEqual(settings.get("routes[0].backends[0].url"), ["http://x", "file line 12"]);
    assert.deepEqual(settings.get("routes[0].backends[0].weight"), [1, "default"]);
    assert.deepEqual(settings.get("routes[0].timeout_policy.request"), ["30s", "default"]);
    assert.deepEqual(settings.get("shutdown.drain_delay"), ["0s", "default"]);
  });

  it("do not show secrets, such as the keys that requests are compared with", () => {
    assert.deepEqual(settings.get("routes[0].match.headers[0].value"), ["(redacted)", "file line 10"]);
    assert.doesNotMatch(JSON.stringify([...settings]), /geheim/);
  });
});
