import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { parseDocument, toResources } from "./document.ts";
import { describeProblem } from "./problem.ts";
import { renderDocument } from "./render-document.ts";
import type { Resource } from "./resource.ts";
import { formatHash, stateHash } from "./state-hash.ts";
import { anyState } from "./testing/any-resources.ts";
import { plainLanguage } from "./testing/plain-language.ts";

function read(text: string, env: Record<string, string> = {}): Resource[] {
  const document = parseDocument(plainLanguage, text, { env });
  assert.ok(document.ok, document.ok ? "" : document.problems.map(describeProblem).join("\n"));
  return toResources(document.value);
}

function problemsOf(text: string): string[] {
  const document = parseDocument(plainLanguage, text, { env: {} });
  assert.ok(!document.ok, "no problem was found");
  return document.problems.map(describeProblem);
}

describe("parseDocument", () => {
  it("turns a document into resources with their specs as written", () => {
    const resources = read(
      `
listeners:
  - id: http
    address: ":\${PORT}"
upstreams:
  orders:
    backends: [{ url: "http://orders:9000" }]
routes:
  - id: api
    path: /api
    path_prefix: true
    upstream: orders
    timeout_policy: { request: 1m }
logging: { level: debug }
cluster: { role: control_plane }
admin: { port: 9000 }
workers: 2
`,
      { PORT: "8080" },
    );
    assert.deepEqual(resources, [
      { kind: "listener", id: "http", spec: { address: ":8080" } },
      {
        kind: "route",
        id: "api",
        spec: { path: "/api", path_prefix: true, upstream: "orders", timeout_policy: { request: "1m" } },
      },
      { kind: "settings", id: "logging", spec: { level: "debug" } },
      { kind: "upstream", id: "orders", spec: { backends: [{ url: "http://orders:9000" }] } },
    ]);
  });

  it("tells every problem of shape and meaning at once, each with path, line and the nearest known key", () => {
    const problems = problemsOf(`listeners:
  - id: a
    address: ":8080"
  - id: b
    address: 127.0.0.1:8080
    protokol: http
routs: []
routes:
  - id: x
    path: api
    backend:
      - url: http://x
    order: 3
  - path: /a
    upstream: orders
  - id: x
    path: /y
    upstream: oders
  - id: z
    path: /z
    upstream: oders
  - 5
upstreams:
  orders:
    backends:
      - {url: "ftp://x", weight: -1}
admin: {port: 99999}
workers: many
logging: {level: loud}
shutdown: {timeout: 5s, drain_delay: 10s}
`);
    assert.deepEqual(problems, [
      "line 6: listeners[1].protokol: unknown key `protokol`; did you mean `protocol`?",
      "line 7: routs: unknown key `routs`; did you mean `routes`?",
      "line 9: routes[0]: needs exactly one of backends and upstream",
      'line 10: routes[0].path: must start with "/" and have no query, fragment or space',
      "line 11: routes[0].backend: unknown key `backend`; did you mean `backends`?",
      "line 13: routes[0].order: unknown key `order`",
      "line 14: routes[1].id: is required",
      'line 16: routes[2].id: routes[0] has the id "x" too; ids have to be unique',
      'line 18: routes[2].upstream: there is no upstream "oders"; did you mean "orders"?',
      'line 21: routes[3].upstream: there is no upstream "oders"; did you mean "orders"?',
      "line 22: routes[4]: must be a mapping with an id",
      "line 26: upstreams.orders.backends[0].url: must be a URL such as http://backend:9000 or https://backend, without user, query or fragment",
      "line 26: upstreams.orders.backends[0].weight: must be at least 0",
      "line 27: admin.port: must be at most 65535",
      'line 28: workers: must be a whole number from 0 to 1024, or "auto"',
      'line 29: logging.level: must be one of "debug", "info", "warn", "error"',
      "line 30: shutdown.drain_delay: must be shorter than shutdown.timeout, of which it is a part",
    ]);
  });

  it("tells of sections that are no lists or mappings, and takes an empty one for none", () => {
    assert.deepEqual(problemsOf("routes: {}\nupstreams: []\nlisteners: 1\nlogging: debug\n"), [
      "line 1: routes: must be a list, each item with an id",
      "line 2: upstreams: must be a mapping from names to upstreams",
      "line 3: listeners: must be a list, each item with an id",
      "line 4: logging: must be a mapping",
    ]);
    assert.deepEqual(read("routes:\nlogging:\nadmin:\n"), []);
  });

  it("keeps secret references as they are", () => {
    const text = 'upstreams: {a: {backends: [{url: "${env:URL}"}, {url: "${file:/run/url}"}]}}';
    assert.deepEqual(read(text)[0]!.spec, { backends: [{ url: "${env:URL}" }, { url: "${file:/run/url}" }] });
  });

  it("refuses ids that no mapping may take over", () => {
    assert.match(problemsOf("upstreams: {__proto__: {backends: [{url: http://a}]}}")[0]!, /must be 1 to 128/);
    assert.match(problemsOf("__proto__: {routes: []}")[0]!, /unknown key `__proto__`/);
    assert.match(problemsOf("logging: {__proto__: {level: debug}}")[0]!, /unknown key `__proto__`/);
  });
});

describe("a document and its resources", () => {
  it("have the same hash however keys, sections and routes of different paths are ordered", () => {
    const one =
      "listeners: [{id: l, address: ':0'}]\nroutes: [{id: a, path: /a, upstream: u}, {id: b, path: /b, upstream: u}]\nupstreams: {u: {backends: [{url: 'http://x'}]}}";
    const other =
      "upstreams: {u: {backends: [{url: 'http://x'}]}}\nroutes: [{upstream: u, path: /b, id: b}, {path: /a, upstream: u, id: a}]\nlisteners: [{address: ':0', id: l}]";
    assert.equal(formatHash(stateHash(read(one))), formatHash(stateHash(read(other))));
  });

  it("have another hash when routes of one path trade places", () => {
    const routes = [
      "{id: a, path: '/a/{x}', match: {domains: [a.example]}, upstream: u}",
      "{id: b, path: '/a/{y}', match: {domains: [b.example]}, upstream: u}",
    ];
    const text = (list: string[]) => `upstreams: {u: {backends: [{url: 'http://x'}]}}\nroutes: [${list.join(", ")}]`;
    assert.notEqual(stateHash(read(text(routes))), stateHash(read(text(routes.toReversed()))));
  });

  it("are two spellings of one thing: what is rendered is read back the same, whatever the environment", () => {
    fc.assert(
      fc.property(anyState, (resources) => {
        const text = renderDocument(resources);
        const document = parseDocument(plainLanguage, text, { env: { HOME: "/root", X: "1" } });
        // States that mean something wrong together, such as two routes for one path, are not of interest here.
        fc.pre(
          document.ok || !document.problems.every(({ message }) => /same conditions|is taken|drain/.test(message)),
        );
        assert.ok(document.ok, document.ok ? "" : `${document.problems.map(describeProblem)}\n${text}`);
        assert.deepEqual(toResources(document.value), resources);
      }),
      { numRuns: 300 },
    );
  });

  it("never show the internal rank of a route", () => {
    fc.assert(fc.property(anyState, (resources) => assert.doesNotMatch(renderDocument(resources), /^\s*-? ?order:/m)));
  });
});

describe("a mistake that is made a great many times", () => {
  it("is told a thousand times, and how often besides", () => {
    const problems = problemsOf(`routes: [${Array(1_200).fill("1").join(", ")}]`);
    assert.equal(problems.length, 1_001);
    assert.equal(problems.at(-1), "200 more problems are not listed");
  });
});
