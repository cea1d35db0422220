import type { Configuration } from "../config/configuration.ts";

/** What the admin API needs of the part that proxies, in every role. */
export interface GatewayView {
  /** What runs now, with secret references as they were written, so that no secret can be shown. None before the first. */
  configuration(): Configuration | undefined;
  status(): GatewayStatus;
  /** Which route would answer a request. @throws RunwayError `adminBadRequest` when it is none that the gateway would take. */
  explainRoute(request: ExplainedRequest): RouteExplanation;
  /** Why this node should get no traffic, each a sentence; draining, missing configuration and routes are found without it. */
  notReadyReasons(): readonly string[];
  /** Parts other than the backends that can be well or not, such as the disk. */
  healthChecks(): readonly HealthCheck[];
  /** What listeners show their clients, those of one listener together and its default first. */
  certificates(): readonly ShownCertificate[];
  /** What is known of the targets of `upstream:id` or `route:id`; undefined where nobody watches them. */
  watched(owner: string): ShownUpstream | undefined;
  /** When draining began, in milliseconds since 1970; undefined while not draining. */
  drainingSince(): number | undefined;
  /** @param delayMs until no new connections are accepted; left out, as the configuration says */
  drain(delayMs?: number): void;
  undrain(): void;
  /** False once a drain has closed the doors. */
  acceptsConnections(): boolean;
}

export interface ExplainedRequest {
  readonly method: string;
  /** With a host, or only a path. */
  readonly url: string;
  /** `Name: value` */
  readonly headers: readonly string[];
}

export interface RouteExplanation {
  readonly route: string | undefined;
  /** Where only the method stands in the way: the methods that would be answered. */
  readonly allow: readonly string[];
  /** Why others lost, the nearest to winning first; not more than can be read. */
  readonly others: readonly { readonly id: string; readonly lostBy: string; readonly reason: string }[];
  /** How many more lost by what. */
  readonly unlisted: Readonly<Record<string, number>>;
}

export interface GatewayStatus {
  readonly activeConnections: number;
  readonly activeRequests: number;
  readonly requestsTotal: number;
  /** Requests that the gateway itself answered with 5xx. */
  readonly failuresTotal: number;
  /** Routes with a target that can take requests. */
  readonly healthyRoutes: number;
  readonly latencyP50Ms?: number;
  readonly latencyP99Ms?: number;
  /** Of the slowest worker. */
  readonly eventLoopLagP99Ms?: number;
  /** Open now, with the ports that the system chose. */
  readonly listeners: readonly { readonly id: string; readonly protocol: string; readonly address: string }[];
  readonly workers: readonly { readonly id: number; readonly state: string; readonly restarts: number }[];
}

export interface ShownUpstream {
  /** The breaker of all its targets, where there is such a one. */
  readonly circuit: ShownCircuit | undefined;
  /** In the order of the configuration; of a backend that is discovered there may be none or many. */
  readonly targets: readonly ShownTarget[];
}

export interface ShownTarget {
  /** The position of the configured backend. */
  readonly backend: number;
  /** Scheme, host and port of one that was discovered. */
  readonly foundAt: string | undefined;
  readonly health: "unknown" | "healthy" | "unhealthy";
  /** Whether it is left out for failing requests. */
  readonly isEjected: boolean;
  readonly ejections: number;
  /** The part of its weight that counts now. */
  readonly share: number;
  readonly latencyMs: number | undefined;
  /** In milliseconds since 1970. */
  readonly lastCheckMs: number | undefined;
  readonly error: string | undefined;
  readonly circuit: ShownCircuit | undefined;
}

export interface ShownCircuit {
  readonly state: "closed" | "open" | "half_open";
  /** In a row. */
  readonly failures: number;
  readonly opened: number;
}

export interface HealthCheck {
  readonly name: string;
  /** `degraded`: a person should look, traffic goes on. `fail`: traffic does not go on. */
  readonly status: "ok" | "degraded" | "fail";
  readonly detail?: string;
}

export interface ShownCertificate {
  readonly listenerId: string;
  readonly certFile: string;
  readonly keyFile: string;
  /** Hosts that it is shown for. */
  readonly hosts: readonly string[];
  readonly notAfterMs: number;
  /** Hexadecimal. */
  readonly serial: string;
}
