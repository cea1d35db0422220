import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { checkResources, toConfiguration } from "./compile.ts";
import { parseDocument, toResources } from "./document.ts";
import type { Resource } from "./resource.ts";
import { inRouteOrder, routePathKey } from "./route-order.ts";
import { secretResolver } from "./secret-reference.ts";
import { plainLanguage } from "./testing/plain-language.ts";

const resolveSecret = secretResolver({
  env: { URL: "http://secret:1", BAD: "ftp://hidden", TOKEN: "geheim", AGAIN: "${env:URL}" },
  readFile(path) {
    if (path !== "/run/url") throw new Error("ENOENT");
    return "http://file:2\n";
  },
});

function resourcesOf(text: string): Resource[] {
  const document = parseDocument(plainLanguage, text);
  assert.ok(document.ok);
  return toResources(document.value);
}

function configure(text: string) {
  const configuration = toConfiguration(plainLanguage, resourcesOf(text), { resolveSecret });
  assert.ok(configuration.ok, JSON.stringify(configuration));
  return configuration.value;
}

describe("toConfiguration", () => {
  it("fills in defaults and turns durations into milliseconds", () => {
    const { listeners, routes, upstreams, settings } = configure(`
listeners: [{id: http, address: ":8080", http: {idle_timeout: 1m30s}}]
routes: [{id: r, path: /, upstream: u}]
upstreams: {u: {backends: [{url: "http://x"}]}}
transport: {max_conns_per_host: 7}
`);
    assert.equal(listeners[0]!.http.idle_timeout, 90_000);
    assert.equal(listeners[0]!.http.read_timeout, 30_000);
    assert.equal(routes[0]!.timeout_policy.request, 30_000);
    assert.deepEqual(routes[0]!.match, { domains: [], headers: [], query: [], cookies: [] });
    assert.deepEqual(upstreams[0], {
      id: "u",
      backends: [{ url: "http://x", weight: 1, http2: false }],
      load_balancer: "round_robin",
      plugins: {},
    });
    assert.equal(settings.transport.max_conns_per_host, 7);
    assert.equal(settings.transport.idle_conn_timeout, 90_000);
    assert.deepEqual(settings.shutdown, { timeout: 30_000, drain_delay: 0 });
    assert.deepEqual(settings.logging, { level: "info" });
  });

  it("knows the order of the document for routes of one path, whatever order the resources come in", () => {
    const resources = resourcesOf(`
routes:
  - {id: z, path: /a, match: {headers: [{name: x, value: "1"}]}, backends: [{url: "http://x"}]}
  - {id: m, path: /b, backends: [{url: "http://x"}]}
  - {id: a, path: /a, match: {headers: [{name: x, value: "2"}]}, backends: [{url: "http://x"}]}
`);
    for (const shuffled of [resources, resources.toReversed()]) {
      const configuration = toConfiguration(plainLanguage, shuffled, { resolveSecret });
      assert.ok(configuration.ok);
      assert.deepEqual(
        configuration.value.routes.map(({ id }) => id),
        ["a", "m", "z"],
      );
      const ids = inRouteOrder(configuration.value.routes, routePathKey).map(({ id }) => id);
      assert.ok(ids.indexOf("z") < ids.indexOf("a"), ids.join());
    }
  });

  it("resolves secrets from the environment and from files, without the line break at a file's end", () => {
    const { upstreams, routes } = configure(`
upstreams: {u: {backends: [{url: "\${env:URL}"}, {url: "\${file:/run/url}"}]}}
routes: [{id: r, path: /, upstream: u, match: {headers: [{name: x-token, value: "\${env:TOKEN}"}]}}]
`);
    assert.deepEqual(
      upstreams[0]!.backends.map(({ url }) => url),
      ["http://secret:1", "http://file:2"],
    );
    assert.equal(routes[0]!.match.headers[0]!.value, "geheim");
  });

  it("names resource and path of a secret that cannot be used, and never its value", () => {
    const urls = ["${env:UNSET}", "${file:/nowhere}", "${env:BAD}", "${env:AGAIN}"].map((url) => `{url: "${url}"}`);
    const configuration = toConfiguration(
      plainLanguage,
      resourcesOf(`upstreams: {u: {backends: [${urls.join(", ")}]}}`),
      {
        resolveSecret,
      },
    );
    assert.ok(!configuration.ok);
    assert.deepEqual(
      configuration.problems.map(({ kind, id, path }) => `${kind}:${id} ${path}`),
      [0, 1, 3, 2].map((position) => `upstream:u backends[${position}].url`),
    );
    assert.match(configuration.problems[0]!.message, /environment variable UNSET is not set on this node/);
    assert.match(configuration.problems[1]!.message, /file \/nowhere cannot be read on this node/);
    assert.match(configuration.problems[3]!.message, /^must be a URL/);
    assert.doesNotMatch(JSON.stringify(configuration.problems), /hidden|secret:1|geheim/);
  });
});

describe("checkResources", () => {
  it("leaves secret references unresolved", () => {
    const spec = { backends: [{ url: "${env:NOWHERE}" }] };
    assert.deepEqual(checkResources(plainLanguage, [{ kind: "upstream", id: "u", spec }]), []);
  });

  it("finds what only a peer can send: unknown kinds and settings, malformed ids, specs that are none", () => {
    const resources = [
      { kind: "gadget", id: "a", spec: {} },
      { kind: "settings", id: "sound", spec: {} },
      { kind: "upstream", id: "a b", spec: { backends: [{ url: "http://x" }] } },
      { kind: "listener", id: "l", spec: null },
    ] as unknown as Resource[];
    assert.deepEqual(
      checkResources(plainLanguage, resources)
        .map(({ kind, id, message }) => `${kind}:${id} ${message.split(";")[0]}`)
        .sort(),
      [
        'gadget:a there is no kind "gadget"',
        "listener:l must be a mapping, not empty",
        'settings:sound there are no settings "sound"',
        "upstream:a b must be 1 to 128 letters, digits, '.', '_' or '-', beginning and ending with a letter or digit",
      ],
    );
  });
});
