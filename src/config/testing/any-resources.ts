import fc from "fast-check";
import type { JsonObject } from "../json.ts";
import { inCanonicalOrder, type Resource, resourceKey } from "../resource.ts";
import { rankRoutes } from "../route-order.ts";

/** Arbitrary valid resources for properties: few ids and paths, so that states overlap and routes share paths. */

const id = fc.constantFrom("a", "b", "c.d", "e-f", "0", "api_v2");
const duration = fc.constantFrom("0s", "500ms", "1m30s", "1d");
const anyText = fc.oneof(
  fc.string({ minLength: 1 }),
  fc.constantFrom("8080", "true", "null", "1e3", "${HOME}", "$${X}", "# no", "- a", "a: b", "*x", "\n", " "),
);
const secret = fc.constantFrom("${env:TOKEN}", "${file:/run/secrets/token}");
const target = fc.record(
  { url: fc.oneof(fc.constantFrom("http://a:1", "http://b/x"), secret), weight: fc.nat({ max: 9 }) },
  { requiredKeys: ["url"] },
);
const targets = fc.array(target, { minLength: 1, maxLength: 3 });
const condition = fc.oneof(
  fc.record({ name: fc.constantFrom("x-a", "x-b"), value: fc.oneof(anyText, secret) }),
  fc.record({ name: fc.constantFrom("x-a", "x-b"), present: fc.boolean() }),
);
const routeBase = fc.record(
  {
    path: fc.constantFrom("/", "/a", "/a/{x}", "/a/{y}"),
    path_prefix: fc.boolean(),
    methods: fc.subarray(["GET", "POST", "PURGE"]),
    match: fc.record({
      domains: fc.subarray(["a.example", "*.b.example"]),
      headers: fc.array(condition, { maxLength: 3 }),
    }),
    timeout_policy: fc.record({ request: duration }),
    max_body_size: fc.nat(),
  },
  { requiredKeys: ["path", "match"] },
);
const specs = {
  listener: fc.record(
    {
      address: fc.nat({ max: 65_535 }).map((port) => `127.0.0.1:${port}`),
      http: fc.record({ idle_timeout: duration }),
    },
    { requiredKeys: ["address"] },
  ),
  route: fc.tuple(routeBase, targets).map(([base, backends]) => ({ ...base, backends })),
  upstream: fc.record({ backends: targets }),
} as const;

const settings: fc.Arbitrary<Resource> = fc.oneof(
  resourceOf("settings", fc.constant("logging"), fc.record({ level: fc.constantFrom("debug", "warn") })),
  resourceOf("settings", fc.constant("shutdown"), fc.record({ timeout: duration.filter((text) => text !== "0s") })),
  resourceOf("settings", fc.constant("trusted_proxies"), fc.record({ cidrs: fc.subarray(["10.0.0.0/8", "fd00::/8"]) })),
);

function resourceOf(
  kind: Resource["kind"],
  ids: fc.Arbitrary<string>,
  spec: fc.Arbitrary<object>,
): fc.Arbitrary<Resource> {
  return fc.tuple(ids, spec).map(([name, value]) => ({ kind, id: name, spec: plain(value) }));
}

/** Objects without a prototype, as fast-check makes them, become ordinary ones. */
function plain(value: object): JsonObject {
  return JSON.parse(JSON.stringify(value)) as JsonObject;
}

const resource = fc.oneof(
  resourceOf("listener", id, specs.listener),
  resourceOf("route", id, specs.route),
  resourceOf("upstream", id, specs.upstream),
  settings,
);

/** Resources of the right shape in no order; what they mean together may be wrong. */
export const anyResources: fc.Arbitrary<Resource[]> = fc.uniqueArray(resource, {
  selector: resourceKey,
  maxLength: 12,
});

/** The same as a stored state: routes of one path have their ranks. */
export const anyState: fc.Arbitrary<Resource[]> = anyResources.map((resources) =>
  inCanonicalOrder(rankRoutes(resources)),
);
