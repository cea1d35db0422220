import { z } from "zod";
import type { Configuration } from "../../config/configuration.ts";
import type { Route } from "../../config/resources/route.ts";
import { inRouteOrder, routePathKey } from "../../config/route-order.ts";
import { ExplanationAnswer, ListenersAnswer, RoutesAnswer, StatsAnswer } from "../answers/gateway.ts";
import type { GatewayView, RouteExplanation } from "../gateway-view.ts";
import { EVERY_ROLE, type Operation, operation } from "../operation.ts";

/** What the gateway serves and how much of it. */
export function gatewayOperations(gateway: GatewayView): Operation[] {
  const read = (path: string, answer: z.ZodType, summary: string, json: () => unknown) =>
    operation({ method: "GET", path, roles: EVERY_ROLE, summary, answer, handle: () => ({ json: json() }) });
  return [
    read("/stats", StatsAnswer, "Numbers of routes, connections and requests.", () => statsJson(gateway)),
    read("/routes", RoutesAnswer, "The routes, in the order of the document.", () => routesOf(gateway).map(routeJson)),
    operation({
      method: "GET",
      path: "/routes/match",
      roles: EVERY_ROLE,
      summary: "Which route answers a request, and by what the others lose.",
      query: MatchQuery,
      answer: ExplanationAnswer,
      handle: ({ query: { method, url, header } }) => ({
        json: explanationJson(gateway.explainRoute({ method, url, headers: [header].flat() })),
      }),
    }),
    read(
      "/listeners",
      ListenersAnswer,
      "Where the gateway listens, with the ports that the system chose.",
      () => gateway.status().listeners,
    ),
  ];
}

export const MatchQuery = z.object({
  method: z.string().min(1).default("GET").describe("The method of the request."),
  url: z.string().min(1).describe("`https://host/path?query`, or a path."),
  header: z
    .union([z.array(z.string()), z.string()])
    .default([])
    .describe("`Name: value`, as often as there are headers."),
});

export function explanationJson({ route, allow, others, unlisted }: RouteExplanation) {
  return {
    route: route ?? null,
    ...(allow.length === 0 ? {} : { allow }),
    others: others.map(({ id, lostBy, reason }) => ({ id, lost_by: lostBy, reason })),
    unlisted,
  };
}

export function routesOf(gateway: GatewayView): readonly Route[] {
  return inRouteOrder(gateway.configuration()?.routes ?? [], routePathKey);
}

export function statsJson(gateway: GatewayView) {
  const status = gateway.status();
  const configuration = gateway.configuration();
  const routes = routesOf(gateway);
  return {
    routes: routes.length,
    healthy_routes: status.healthyRoutes,
    backends: Object.fromEntries(routes.map((route) => [route.id, targetsOf(route, configuration).length])),
    listeners: status.listeners.length,
    active_connections: status.activeConnections,
    active_requests: status.activeRequests,
    requests_total: status.requestsTotal,
    failures_total: status.failuresTotal,
    latency_p50_ms: status.latencyP50Ms,
    latency_p99_ms: status.latencyP99Ms,
    event_loop_lag_p99_ms: status.eventLoopLagP99Ms,
    workers: status.workers,
  };
}

function routeJson(route: Route) {
  const { id, path, path_prefix, methods, match, upstream, backends = [] } = route;
  return {
    id,
    path,
    path_prefix,
    backends: backends.length,
    ...(upstream === undefined ? {} : { upstream }),
    ...(methods.length === 0 ? {} : { methods }),
    ...(match.domains.length === 0 ? {} : { domains: match.domains }),
    ...(match.headers.length === 0 ? {} : { header_matchers: match.headers.length }),
    ...(match.query.length === 0 ? {} : { query_matchers: match.query.length }),
  };
}

function targetsOf(route: Route, configuration: Configuration | undefined) {
  return route.backends ?? configuration?.upstreams.find(({ id }) => id === route.upstream)?.backends ?? [];
}
