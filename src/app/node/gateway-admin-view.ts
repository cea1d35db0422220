import type {
  ExplainedRequest,
  GatewayStatus,
  GatewayView,
  HealthCheck,
  RouteExplanation,
  ShownCertificate,
  ShownUpstream,
} from "../../admin/gateway-view.ts";
import type { Configuration } from "../../config/configuration.ts";
import { RunwayError } from "../../core/failure.ts";
import type { ProxyStatus } from "../../proxy/proxy-status.ts";
import { explainRoute } from "../../proxy/route/explain-route.ts";
import type { Gateway } from "./gateway.ts";

/** Shows the gateway of this node to its admin API. */
export class GatewayAdminView implements GatewayView {
  readonly #gateway: Gateway;
  readonly #checks: () => readonly HealthCheck[];

  /** @param checks of the parts besides the gateway, such as the disk */
  constructor(gateway: Gateway, checks: () => readonly HealthCheck[] = () => []) {
    this.#gateway = gateway;
    this.#checks = checks;
  }

  configuration(): Configuration | undefined {
    return this.#gateway.shown;
  }

  status(): GatewayStatus {
    const { supervisor, live } = this.#gateway;
    const healthyRoutes = countHealthyRoutes(live);
    if (supervisor === undefined) return { ...IDLE, healthyRoutes };
    const { latency, ...status } = supervisor.status();
    return { ...status, healthyRoutes, latencyP50Ms: latency.p50Ms, latencyP99Ms: latency.p99Ms };
  }

  explainRoute(request: ExplainedRequest): RouteExplanation {
    // With secrets resolved, as requests are matched: what is said names none.
    const explanation = explainRoute(this.#gateway.live?.routes ?? [], request);
    if (typeof explanation === "string")
      throw new RunwayError("adminBadRequest", `The gateway would refuse the request: ${explanation}.`);
    return explanation;
  }

  notReadyReasons(): readonly string[] {
    const { supervisor } = this.#gateway;
    if (supervisor === undefined) return [];
    const { workers, overload } = supervisor.status();
    return [
      ...(workers.some(({ state }) => state === "running") ? [] : ["no worker is running"]),
      ...overload.map((resource) => OVERLOAD_REASONS[resource]),
    ];
  }

  healthChecks(): readonly HealthCheck[] {
    const { supervisor } = this.#gateway;
    return supervisor === undefined ? this.#checks() : [workersCheck(supervisor.status()), ...this.#checks()];
  }

  certificates(): readonly ShownCertificate[] {
    return this.#gateway.supervisor?.certificates() ?? [];
  }

  watched(owner: string): ShownUpstream | undefined {
    return this.#gateway.supervisor?.upstreams.status(owner);
  }

  drainingSince(): number | undefined {
    return this.#gateway.drainingSince;
  }

  drain(delayMs?: number): void {
    this.#gateway.drain(delayMs);
  }

  acceptsConnections(): boolean {
    return this.#gateway.acceptsConnections;
  }

  undrain(): void {
    this.#gateway.undrain();
  }
}

const OVERLOAD_REASONS = {
  event_loop: "the node is overloaded: a worker does not keep up",
  memory: "the node is overloaded: memory is nearly used up",
} as const;

const IDLE = {
  activeConnections: 0,
  activeRequests: 0,
  requestsTotal: 0,
  failuresTotal: 0,
  listeners: [],
  workers: [],
};

/** A worker that is being replaced costs capacity; without any, traffic does not go on. */
function workersCheck({ workers }: ProxyStatus): HealthCheck {
  const down = workers.filter(({ state }) => state !== "running");
  if (down.length === 0) return { name: "workers", status: "ok" };
  const detail = down
    .map(({ id, state, restarts }) => `worker ${id} is ${state}, after ${restarts} restarts`)
    .join("; ");
  return { name: "workers", status: down.length === workers.length ? "fail" : "degraded", detail };
}

/** Routes with a target that takes requests, and those that need none since a plugin answers. */
export function countHealthyRoutes(configuration: Configuration | undefined): number {
  if (configuration === undefined) return 0;
  const upstreams = new Map(configuration.upstreams.map(({ id, backends }) => [id, backends]));
  return configuration.routes.filter(({ backends, upstream }) => {
    const targets = upstream === undefined ? backends : upstreams.get(upstream);
    return targets === undefined ? upstream === undefined : targets.some(({ weight }) => weight > 0);
  }).length;
}
