import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseDocument, toResources } from "./document.ts";
import { readOriginalYaml, renderOriginalYaml } from "./original-peer.ts";
import { describeProblem } from "./problem.ts";
import type { Resource } from "./resource.ts";
import { plainLanguage } from "./testing/plain-language.ts";

/** The manner of an original control plane: every setting there is, most of them saying nothing. */
const DUMP = `
listeners:
- id: default-http
  address: :8080
  protocol: http
  tls: {enabled: false, cert_file: "", certificates: [], acme: {enabled: false, domains: []}}
  http: {read_timeout: 30s, write_timeout: 30s, idle_timeout: 1m0s, max_header_bytes: 0, read_header_timeout: 0s, enable_http3: false}
  tcp: {sni_routing: false, connect_timeout: 0s}
  udp: {read_buffer_size: 0}
registry: {type: memory, consul: {address: "", tags: []}}
authentication: {api_key: {enabled: false, header: X-API-Key, keys: []}, jwt: {enabled: false, algorithm: HS256}}
upstreams:
  orders:
    backends:
    - {url: "http://orders:9000", weight: 0, health_check: null}
    service: {name: "", tags: []}
    load_balancer: ""
    consistent_hash: {key: "", replicas: 150}
    health_check: {path: /health, method: GET, interval: 10s, timeout: 5s, expected_status: [200-399]}
    transport: {max_idle_conns: 0}
routes:
- id: api
  path: /users/:id/orders
  path_prefix: false
  methods: []
  match: {domains: [], headers: [{name: x-debug, value: "", present: false, regex: ""}], query: [], cookies: [], max_match_body_size: 0}
  backends: []
  upstream: orders
  service: {name: "", tags: []}
  strip_prefix: false
  timeout: 0s
  retries: 0
  timeout_policy: {request: 0s, backend: 0s, idle: 0s}
  retry_policy: {max_retries: 0, initial_backoff: 100ms, retryable_methods: [GET, HEAD, OPTIONS], budget: {ratio: 0, window: 10s}}
  rate_limit: {enabled: false, rate: 0, period: 0s, burst: 0, per_ip: false}
  auth: {required: false, methods: []}
  cors: {enabled: false, allow_methods: "", max_age: 86400}
  rewrite: {url: "", prefix: ""}
tcp_routes: []
logging: {level: info, output: stdout, format: "$remote_addr $status", rotation: {max_size: 100, compress: true}}
admin: {enabled: true, port: 8081, pprof: false}
shutdown: {timeout: 30s, drain_delay: 0s}
trusted_proxies: {cidrs: [], headers: [X-Forwarded-For, X-Real-IP], max_hops: 0}
transport: {max_idle_conns: 512, max_idle_conns_per_host: 256, dial_timeout: 30s, tls_handshake_timeout: 10s, insecure_skip_verify: false}
redis: {address: "", db: 0}
waf: {enabled: false, mode: block, rules: []}
cluster: {role: "", control_plane: {address: "", tls: {enabled: false}}, unknown: 1}
`;

describe("readOriginalYaml", () => {
  it("keeps what the dump of an original control plane asks for, and nothing else", () => {
    const resources = readOriginalYaml(plainLanguage, DUMP);
    assert.ok(resources.ok, resources.ok ? "" : resources.problems.map(describeProblem).join("\n"));
    const specs = Object.fromEntries(resources.value.map(({ kind, id, spec }) => [`${kind}:${id}`, spec]));
    assert.deepEqual(specs, {
      "listener:default-http": {
        address: ":8080",
        protocol: "http",
        http: { read_timeout: "30s", write_timeout: "30s", idle_timeout: "1m0s" },
      },
      "route:api": {
        path: "/users/{id}/orders",
        match: { headers: [{ name: "x-debug", present: false }] },
        upstream: "orders",
        timeout_policy: {},
        auth: { required: false },
      },
      "upstream:orders": { backends: [{ url: "http://orders:9000" }] },
      "settings:logging": { level: "info" },
      "settings:shutdown": { timeout: "30s" },
      "settings:trusted_proxies": {},
      "settings:transport": { max_idle_conns_per_host: 256, dial_timeout: "30s", tls_handshake_timeout: "10s" },
    });
  });

  it("refuses what asks for something that would be missing, and names it with its line", () => {
    const asks = {
      "rate_limit: {enabled: false, rate: 0,": "rate_limit: {enabled: true, rate: 5,",
      "auth: {required: false,": "auth: {required: true,",
      "waf: {enabled: false,": "waf: {enabled: true,",
      "tcp_routes: []": "tcp_routes: [{id: x}]",
    };
    let text = DUMP;
    for (const [before, after] of Object.entries(asks)) {
      assert.ok(text.includes(before), before);
      text = text.replace(before, after);
    }
    const resources = readOriginalYaml(plainLanguage, text);
    assert.ok(!resources.ok);
    assert.deepEqual(resources.problems.map(({ path }) => path).sort(), [
      "routes[0].auth",
      "routes[0].rate_limit",
      "tcp_routes",
      "waf",
    ]);
    for (const { line, message } of resources.problems) {
      assert.ok(line! > 1);
      assert.match(message, /is not supported by this data plane|no plugin that authenticates/);
    }
  });

  it("refuses a rate limit that works without being enabled", () => {
    const resources = readOriginalYaml(
      plainLanguage,
      DUMP.replace("enabled: false, rate: 0,", "enabled: false, rate: 10,"),
    );
    assert.ok(!resources.ok);
    assert.equal(resources.problems[0]!.path, "routes[0].rate_limit");
  });

  it("still checks what it keeps, and takes variables for text", () => {
    const resources = readOriginalYaml(plainLanguage, DUMP.replace("upstream: orders", "upstream: ${NOWHERE}"));
    assert.ok(!resources.ok);
    assert.match(resources.problems[0]!.path, /^routes\[0\]\.upstream/);
  });
});

describe("renderOriginalYaml", () => {
  const resources: Resource[] = [
    { kind: "listener", id: "1d", spec: { address: ":0", http: { idle_timeout: "1d" } } },
    {
      kind: "route",
      id: "b",
      spec: { path: "/", order: 0, match: { headers: [{ name: "x", value: "$${A} ${B}" }] }, upstream: "u" },
    },
    {
      kind: "route",
      id: "a",
      spec: { path: "/", order: 1, upstream: "u", timeout_policy: { request: "1m" } },
    },
    { kind: "upstream", id: "u", spec: { backends: [{ url: "http://x" }] } },
  ];

  it("is the document, with durations in hours at most and every text as it is", () => {
    const text = renderOriginalYaml(resources);
    assert.match(text, /idle_timeout: 24h/);
    assert.match(text, /id: 1d/);
    assert.match(text, /value: \$\$\{A\} \$\{B\}/);
    assert.ok(text.indexOf("id: b") < text.indexOf("id: a"));
    assert.doesNotMatch(text, /order:/);
  });

  it("is read back by an original-speaking data plane of ours as the same resources", () => {
    const document = parseDocument(plainLanguage, renderOriginalYaml(resources).replace("24h", "1d"));
    assert.ok(document.ok);
    const back = readOriginalYaml(plainLanguage, renderOriginalYaml(resources).replace("24h", "1d"));
    assert.ok(back.ok, JSON.stringify(back));
    assert.deepEqual(back.value, toResources(document.value));
  });
});
