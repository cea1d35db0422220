import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { z } from "zod";
import type { PluginLanguage } from "../sdk/plugin.ts";
import { checkResources, toConfiguration } from "./compile.ts";
import { parseDocument, toResources } from "./document.ts";
import { Language } from "./language.ts";
import { readOriginalYaml } from "./original-peer.ts";
import { describeProblem } from "./problem.ts";
import { renderDocument } from "./render-document.ts";
import { plainLanguage } from "./testing/plain-language.ts";

const throttle: PluginLanguage = {
  name: "throttle",
  scopes: ["gateway", "route", "upstream"],
  config: z.strictObject({ rate: z.int().positive(), key: z.enum(["ip", "host"]).default("ip") }),
};
const quota: PluginLanguage = {
  name: "quota",
  config: z.strictObject({ plan: z.string() }),
  resources: { plan: z.strictObject({ requests: z.int().min(1) }) },
};
const language = new Language([throttle, quota]);

const DOCUMENT = `
upstreams:
  orders:
    throttle: { rate: 5 }
    backends: [{ url: "http://127.0.0.1:9000" }]
routes:
  - id: api
    path: /api
    upstream: orders
    throttle: { rate: 7, key: host }
    quota: { enabled: false }
plans:
  small: { requests: 10 }
throttle: { rate: 100 }
`;

function problemsOf(text: string): string[] {
  const document = parseDocument(language, text);
  return document.ok ? [] : document.problems.map(describeProblem);
}

function resourcesOf(text: string) {
  const document = parseDocument(language, text);
  assert.ok(document.ok, document.ok ? "" : document.problems.map(describeProblem).join("\n"));
  return toResources(document.value);
}

describe("Language", () => {
  it("knows the blocks of plugins wherever these may be configured", () => {
    const configuration = toConfiguration(language, resourcesOf(DOCUMENT), { resolveSecret: () => assert.fail() });
    assert.ok(configuration.ok);
    const { routes, upstreams, plugins, owned } = configuration.value;
    assert.deepEqual(routes[0]!.plugins, {
      throttle: { enabled: true, rate: 7, key: "host" },
      quota: { enabled: false },
    });
    assert.deepEqual(upstreams[0]!.plugins, { throttle: { enabled: true, rate: 5, key: "ip" } });
    assert.deepEqual(plugins, { throttle: { enabled: true, rate: 100, key: "ip" } });
    assert.deepEqual(owned, { plan: [{ id: "small", requests: 10 }] });
  });

  it("writes what it reads, the resources of plugins too", () => {
    const resources = resourcesOf(DOCUMENT);
    assert.deepEqual(resourcesOf(renderDocument(resources)), resources);
  });

  it("reports mistakes in the blocks and resources of plugins like any others", () => {
    const text = DOCUMENT.replace("rate: 7", "rat: 7").replace("plans", "planes");
    assert.deepEqual(problemsOf(text), [
      "line 10: routes[0].throttle.rate: is required",
      "line 10: routes[0].throttle.rat: unknown key `rat`; did you mean `rate`?",
      "line 12: planes: unknown key `planes`; did you mean `plans`?",
    ]);
    assert.deepEqual(problemsOf(DOCUMENT.replace("requests: 10", "requests: 0")), [
      "line 13: plans.small.requests: must be at least 1",
    ]);
  });

  it("wants no targets of a route that a plugin answers, as long as the plugin is on", () => {
    const answers: PluginLanguage = { name: "hello", config: z.strictObject({ to: z.string() }), answers: true };
    const able = new Language([answers]);
    const problems = (route: string) => {
      const document = parseDocument(able, `routes: [{ id: a, path: /a, ${route} }]`);
      return document.ok ? [] : document.problems.map(({ path, message }) => `${path}: ${message}`);
    };
    const targets = 'backends: [{ url: "http://x" }]';
    const nobody = "needs exactly one of backends and upstream, or a block that answers every request: hello";
    assert.deepEqual(problems("hello: { to: you }"), []);
    assert.deepEqual(problems(`hello: { to: you }, ${targets}`), []);
    assert.deepEqual(problems(`hello: { enabled: false }, ${targets}`), []);
    assert.deepEqual(problems("hello: { enabled: false }"), [`routes[0]: ${nobody}`]);
    assert.deepEqual(problems(""), [`routes[0]: ${nobody}`]);
    assert.deepEqual(problems(`hello: { to: you }, upstream: u, ${targets}`).slice(0, 1), [`routes[0]: ${nobody}`]);
    assert.deepEqual(problems("hello: { too: you }"), [
      "routes[0].hello.to: is required",
      "routes[0].hello.too: unknown key `too`; did you mean `to`?",
    ]);
  });

  it("refuses a block where its plugin cannot be configured", () => {
    const text = DOCUMENT.replace("throttle: { rate: 5 }", "quota: { plan: small }");
    assert.deepEqual(problemsOf(text), ["line 4: upstreams.orders.quota: unknown key `quota`"]);
  });

  it("tells a node without the plugin which kind or block it lacks", () => {
    const messages = checkResources(plainLanguage, resourcesOf(DOCUMENT)).map(describeProblem);
    assert.equal(messages.length, 5);
    assert.match(
      messages[0]!,
      /^plan:small: there is no kind "plan"; there are listener, .* does not have may own it$/,
    );
    assert.match(messages.join("\n"), /^settings:throttle: there are no settings "throttle"; there are logging, /m);
    assert.match(messages.join("\n"), /^route:api: throttle: unknown key `throttle`$/m);
    const onNode = toConfiguration(plainLanguage, resourcesOf(DOCUMENT), { resolveSecret: () => assert.fail() });
    assert.match(
      onNode.ok ? "" : onNode.problems.map(describeProblem).join("\n"),
      /^route:api: throttle: unknown key `throttle`; no plugin of this node has that name, see `extensions`$/m,
    );
  });

  it("takes a block that an original control plane switched off for none", () => {
    const dump =
      'routes:\n- id: a\n  path: /a\n  throttle: {enabled: false, key: host}\n  backends: [{url: "http://a:1"}]\n';
    const resources = readOriginalYaml(language, dump);
    assert.ok(resources.ok);
    assert.deepEqual(Object.keys(resources.value[0]!.spec), ["path", "backends"]);
    const silent = readOriginalYaml(language, dump.replace("enabled: false, key: host", 'rate: 0, key: ""'));
    assert.deepEqual(silent, resources);
  });
});
