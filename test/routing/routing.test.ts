import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { describe, it } from "node:test";
import type { Route } from "../../src/config/resources/route.ts";
import { explainRoute } from "../../src/proxy/route/explain-route.ts";
import { RouteMatcher } from "../../src/proxy/route/route-matcher.ts";
import { Router } from "../../src/proxy/route/router.ts";
import { RoutingCampaign, type RoutingSubject } from "./routing-campaign.ts";

/** `SEED=n` runs the cases of that seed again, `CASES=n` another number of them. */
const SEED = Number(process.env.SEED ?? randomInt(2 ** 31));
const CASES = Number(process.env.CASES ?? 40_000);

/** The router, told of routes as the campaign has them; `seenAs` is for defects. */
function subject(seenAs: (route: Route) => Route = (route) => route, forgets = true): RoutingSubject {
  const router = new Router<RouteMatcher>();
  const added = new Map<string, RouteMatcher>();
  return {
    add(route) {
      const matcher = new RouteMatcher(seenAs(route));
      added.set(route.id, matcher);
      router.add(matcher);
    },
    remove({ id }) {
      if (forgets) router.remove(added.get(id)!);
    },
    find(request) {
      const otherMethods: string[] = [];
      const route = router.match(request, otherMethods)?.id;
      return { route, otherMethods: route === undefined ? [...new Set(otherMethods)].sort() : [] };
    },
  };
}

describe("the router, changed in place between requests,", () => {
  it("answers as its rules do, written as a filter and a sort", (test) => {
    const campaign = new RoutingCampaign(SEED, () => subject());
    const found = campaign.run(CASES);
    assert.equal(found, undefined, `run again with SEED=${SEED} CASES=${CASES}\n${JSON.stringify(found, null, 1)}`);
    assert.ok(campaign.answered > CASES / 6, `only ${campaign.answered} of ${CASES} requests had a route`);
    assert.ok(campaign.refusedMethods > CASES / 50, `only ${campaign.refusedMethods} requests lacked a method`);
    test.diagnostic(`SEED=${SEED}: ${CASES} requests, ${campaign.answered} of them with a route, no difference`);
  });
});

/** Says of each request what its explanation says. */
function explainer(): RoutingSubject {
  const routes = new Map<string, Route>();
  return {
    add: (route) => void routes.set(route.id, route),
    remove: ({ id }) => void routes.delete(id),
    find({ method, host, path, query, fields }) {
      const lines = Array.from({ length: fields.count }, (_, index) => `${fields.name(index)}: ${fields.value(index)}`);
      const headers = lines.filter((line) => !line.startsWith("Host:"));
      const explanation = explainRoute(routes.values(), { method, url: `http://${host}${path}${query}`, headers });
      assert.ok(typeof explanation !== "string", String(explanation));
      const { route, allow, others } = explanation;
      assert.equal(others.length, routes.size - (route === undefined ? 0 : 1), "every other route has its reason");
      return { route, otherMethods: [...allow].sort() };
    },
  };
}

describe("the explanation of a request", () => {
  it("names the route that the rules name", () => {
    const found = new RoutingCampaign(SEED, explainer).run(CASES / 4);
    assert.equal(found, undefined, `run again with SEED=${SEED} CASES=${CASES}\n${JSON.stringify(found, null, 1)}`);
  });
});

const DEFECTS: Readonly<Record<string, () => RoutingSubject>> = {
  "does not forget a route": () => subject(undefined, false),
  "takes no heed of the order of the document": () => subject((route) => ({ ...route, order: 0 })),
  "takes a wildcard for every host": () =>
    subject((route) => ({
      ...route,
      match: { ...route.match, domains: route.match.domains.filter((name) => !name.startsWith("*")) },
    })),
  "knows no cookies": () => subject((route) => ({ ...route, match: { ...route.match, cookies: [] } })),
  "takes header names as they are written": () =>
    subject((route) => ({
      ...route,
      match: { ...route.match, headers: route.match.headers.map((header) => ({ ...header, name: `${header.name}-` })) },
    })),
  "takes a prefix for a whole path": () => subject((route) => ({ ...route, path_prefix: false })),
};

describe("a router", () => {
  for (const [defect, broken] of Object.entries(DEFECTS))
    it(`that ${defect} is caught`, () => {
      assert.ok(new RoutingCampaign(1, broken).run(100_000), "nothing was found");
    });
});
