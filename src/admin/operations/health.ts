import { formatDuration } from "../../core/duration.ts";
import { type Caller, mayUse } from "../access/caller.ts";
import { HealthAnswer, ReadyAnswer } from "../answers/health.ts";
import type { GatewayView, HealthCheck } from "../gateway-view.ts";
import { EVERY_ROLE, type Operation, operation } from "../operation.ts";
import { timestamp } from "../write-json.ts";
import { certificateCheck } from "./certificates.ts";
import { routesOf } from "./gateway.ts";

export interface HealthSources {
  readonly role: string;
  /** Of the program. */
  readonly version: string;
  readonly gateway: GatewayView;
  /** Whether this node has a configuration; a data plane may have none yet. */
  hasConfiguration(): boolean;
  now(): number;
  uptimeMs(): number;
}

/**
 * Strangers, such as load balancers, are told only what there is to do; why is for viewers.
 */
function forCaller<Json extends { readonly status: string }>(
  caller: Caller,
  { status, json }: { readonly status: number; readonly json: Json },
) {
  return { status, json: mayUse(caller, "viewer") ? json : { status: json.status } };
}

/** Whether the node is well (`/health`, for whoever restarts it) and wants traffic (`/ready`, for whoever sends some). */
export function healthOperations(sources: HealthSources): Operation[] {
  const health = {
    method: "GET",
    roles: EVERY_ROLE,
    access: "everybody",
    summary: "Whether the node is well.",
    answer: HealthAnswer,
    statuses: [200, 503],
    handle: ({ caller }: { caller: Caller }) => forCaller(caller, healthAnswer(sources)),
  } as const;
  const ready = {
    method: "GET",
    roles: EVERY_ROLE,
    access: "everybody",
    summary: "Whether the node wants traffic.",
    answer: ReadyAnswer,
    statuses: [200, 503],
    handle: ({ caller }: { caller: Caller }) => forCaller(caller, readyAnswer(sources)),
  } as const;
  return [
    operation({ ...health, path: "/health" }),
    operation({ ...health, path: "/healthz" }),
    operation({ ...ready, path: "/ready" }),
    operation({ ...ready, path: "/readyz" }),
  ];
}

/** 503 only when traffic does not go on: a node that still serves must not be restarted because its disk is full. */
function healthAnswer({ gateway, role, version, now, uptimeMs }: HealthSources) {
  const { routes, healthyRoutes } = counts(gateway);
  const backends = { status: routes === 0 || healthyRoutes > 0 ? "ok" : "fail" } as const;
  const others = [...certificateCheck(gateway.certificates(), now()), ...gateway.healthChecks()];
  const all: readonly Pick<HealthCheck, "status">[] = [backends, ...others];
  return {
    status: all.some(({ status }) => status === "fail") ? 503 : 200,
    json: {
      status: all.every(({ status }) => status === "ok") ? "ok" : "degraded",
      timestamp: timestamp(now()),
      uptime: formatDuration(Math.floor(uptimeMs() / 1_000) * 1_000),
      role,
      runway_version: version,
      checks: {
        backends: { ...backends, total_routes: routes, healthy_routes: healthyRoutes },
        ...Object.fromEntries(others.map(({ name, status, detail }) => [name, { status, detail }])),
      },
    },
  };
}

function readyAnswer(sources: HealthSources) {
  const { routes, healthyRoutes, listeners } = counts(sources.gateway);
  const reasons = [
    ...(sources.gateway.drainingSince() === undefined ? [] : ["server is draining"]),
    ...(sources.hasConfiguration()
      ? []
      : [
          sources.role === "data_plane"
            ? "data plane has no config from control plane"
            : "the configuration is not loaded yet",
        ]),
    ...(routes > 0 && healthyRoutes === 0 ? ["need 1 healthy routes, have 0"] : []),
    ...sources.gateway.notReadyReasons(),
  ];
  const ready = reasons.length === 0;
  const degraded = sources.gateway
    .healthChecks()
    .filter(({ status }) => status !== "ok")
    .map(({ name, detail }) => (detail === undefined ? name : `${name}: ${detail}`));
  return {
    status: ready ? 200 : 503,
    json: {
      status: ready ? "ready" : "not_ready",
      routes,
      healthy_routes: healthyRoutes,
      listeners,
      ...(ready ? {} : { reasons }),
      ...(degraded.length === 0 ? {} : { degraded }),
    },
  };
}

function counts(gateway: GatewayView) {
  const { healthyRoutes, listeners } = gateway.status();
  return { routes: routesOf(gateway).length, healthyRoutes, listeners: listeners.length };
}
