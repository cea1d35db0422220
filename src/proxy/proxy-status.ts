import { quantileMs } from "./counters/latency-histogram.ts";
import type { SharedState } from "./counters/shared-state.ts";
import { actualAddress } from "./listener/listener-plan.ts";
import type { CertificatePair } from "./tls/tls-material.ts";
import type { Plan } from "./worker/plan.ts";
import type { WorkerSlot, WorkerState } from "./worker/worker-slot.ts";

export interface ListenerStatus {
  readonly id: string;
  readonly protocol: string;
  /** With the real port where the configuration says 0. */
  readonly address: string;
}

/** A certificate as it may be shown: without its key. */
export type ListenerCertificate = Omit<CertificatePair, "cert" | "key"> & { readonly listenerId: string };

export interface Latency {
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export interface ProxyStatus {
  readonly routes: number;
  readonly activeConnections: number;
  readonly activeRequests: number;
  readonly requestsTotal: number;
  /** Requests that the gateway itself answered with 5xx, or cut. */
  readonly failuresTotal: number;
  /** Since the last `takeLatency`. */
  readonly latency: Latency;
  /** Of the slowest worker, over about the last second. */
  readonly eventLoopLagP99Ms: number;
  /** What there is too little of, so that new requests are refused. */
  readonly overload: readonly ("event_loop" | "memory")[];
  readonly workers: readonly { readonly id: number; readonly state: WorkerState; readonly restarts: number }[];
  readonly listeners: readonly ListenerStatus[];
}

/** Says how the proxy is, from what its workers count. */
export class StatusReader {
  readonly #state: SharedState;
  readonly #workers: readonly WorkerSlot[];
  #latencyMark: Float64Array;

  constructor(state: SharedState, workers: readonly WorkerSlot[]) {
    this.#state = state;
    this.#workers = workers;
    this.#latencyMark = state.latencies();
  }

  /** @param plan what is in effect */
  read(plan: Plan | undefined): ProxyStatus {
    const state = this.#state;
    return {
      routes: plan?.configuration.routes.length ?? 0,
      activeConnections: state.sum("activeConnections"),
      activeRequests: state.sum("activeRequests"),
      requestsTotal: state.sum("status1xx", "status2xx", "status3xx", "status4xx", "status5xx"),
      failuresTotal: state.sum("gatewayFailures"),
      latency: this.#latencySince(this.#latencyMark),
      eventLoopLagP99Ms: state.max("eventLoopLagP99Ms"),
      overload: [
        ...(state.max("isLate") > 0 ? (["event_loop"] as const) : []),
        ...(state.max("isMemoryShort") > 0 ? (["memory"] as const) : []),
      ],
      workers: this.#workers.map((slot) => ({ id: slot.id, state: slot.state, restarts: slot.restarts })),
      listeners: listenersOf(plan),
    };
  }

  /** Quantiles since the last call. */
  takeLatency(): Latency {
    const latency = this.#latencySince(this.#latencyMark);
    this.#latencyMark = this.#state.latencies();
    return latency;
  }

  #latencySince(mark: Float64Array): Latency {
    const counts = this.#state.latencies().map((count, bucket) => count - mark[bucket]!);
    return { p50Ms: quantileMs(counts, 0.5), p99Ms: quantileMs(counts, 0.99) };
  }
}

export function listenersOf(plan: Plan | undefined): readonly ListenerStatus[] {
  return (plan?.listeners ?? []).map((planned) => ({
    id: planned.listener.id,
    protocol: planned.listener.protocol,
    address: actualAddress(planned),
  }));
}

/** What the listeners in effect show their clients. */
export function certificatesOf(plan: Plan | undefined): readonly ListenerCertificate[] {
  const { tls } = plan ?? {};
  return [...(tls?.listeners ?? [])].flatMap(([listenerId, { certificates }]) =>
    certificates.map(({ certFile, keyFile, hosts, notAfterMs, serial }) => ({
      ...{ listenerId, certFile, keyFile, hosts, notAfterMs, serial },
    })),
  );
}
