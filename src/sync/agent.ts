import { randomUUID } from "node:crypto";
import type { Json, JsonObject } from "../config/json.ts";
import type { Snapshot } from "../config/snapshot.ts";
import type { Clock } from "../core/clock.ts";
import { RunwayError } from "../core/failure.ts";
import type { Logger, Meter } from "../core/ports.ts";
import type { Service } from "../core/service.ts";
import type { Connector } from "./connection.ts";
import { ControlPlaneLink } from "./control-plane-link.ts";
import { ENCODINGS, type FromNode, type NodeNumbers, type Stamp } from "./messages.ts";
import { SYNC_METRICS } from "./metrics.ts";
import { NamedTimers } from "./named-timers.ts";
import { stepNode } from "./node-session.ts";
import {
  type ApplyOutcome,
  type Incoming,
  initialNodeState,
  type NodeEffect,
  type NodeEvent,
  type NodeIdentity,
  type NodeOccurrence,
  type NodeState,
  type NodeTimer,
  type Peer,
} from "./node-state.ts";
import { type CallOptions, type RpcMethod, RpcPeer } from "./rpc/rpc-peer.ts";
import { SessionRunner } from "./session-runner.ts";
import { announcementMethods, type Withheld } from "./sync-methods.ts";

/** What makes a configuration run. It validates, compiles, keeps and swaps; it does not throw for a bad configuration. */
export interface ApplySink {
  /** @param signal aborts when the node stops */
  apply(incoming: Incoming, signal: AbortSignal): Promise<ApplyOutcome>;
}

export interface AgentOptions {
  readonly nodeId: string;
  /** Of the program. */
  readonly version: string;
  readonly hostname: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Versions by name; empty ones came with the program. */
  readonly plugins?: Readonly<Record<string, string>>;
  /** Control planes, tried in turn. At least one. */
  readonly addresses: readonly string[];
  readonly heartbeatIntervalMs: number;
  readonly retryIntervalMs: number;
  readonly connector: Connector;
  readonly sink: ApplySink;
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  readonly logger: Logger;
  readonly meter: Meter;
  readonly status: () => NodeNumbers;
  /** What a control plane may ask of this node, by the whole name of the method. */
  readonly methods?: Readonly<Record<string, RpcMethod>>;
  /** What the node runs already, from its cache. */
  readonly running?: Snapshot | undefined;
  /** Whether it takes changes against what it runs; true when left out. */
  readonly takesDeltas?: boolean;
  /** The protocol itself; for a process of many nodes, which shares the work that is the same for all. */
  readonly step?: typeof stepNode;
}

export interface AgentStatus {
  /** Only after the control plane has accepted this node. */
  readonly connected: boolean;
  /** The control plane it is connected to, or turned to last. */
  readonly cpAddress: string;
  readonly peer: Peer | undefined;
  /** Milliseconds since 1970; undefined while not connected. */
  readonly connectedAtMs: number | undefined;
  readonly hasConfig: boolean;
  readonly epoch: string;
  readonly configVersion: number;
  readonly configHash: bigint;
  /** Why the last configuration was refused; empty after a success. */
  readonly lastReloadError: string;
  /** Why the last connection ended or could not be had; empty while connected. */
  readonly lastError: string;
  /** The version that the control plane has and does not give to this node. */
  readonly withheld: Withheld | undefined;
}

/** The data plane's side: keeps a connection to a control plane and gives what comes to the sink. */
export class Agent implements Service {
  readonly name = "agent";
  readonly #options: AgentOptions;
  readonly #runner: SessionRunner<NodeState, NodeEvent, NodeEffect>;
  readonly #timers: NamedTimers<NodeTimer>;
  readonly #stopping = new AbortController();
  readonly #connects: ReturnType<Meter["counter"]>;
  readonly #configurations: ReturnType<Meter["counter"]>;
  readonly #link: ControlPlaneLink;
  #applying: Promise<void> | undefined;
  #withheld: Withheld | undefined;
  #cpAddress: string;
  #connectedAtMs: number | undefined;

  constructor(options: AgentOptions) {
    const { nodeId, version, hostname, labels, addresses, heartbeatIntervalMs, retryIntervalMs, meter } = options;
    const { step = stepNode } = options;
    const limits = { heartbeatIntervalMs, retryIntervalMs };
    const methods = { ...options.methods, ...announcementMethods((withheld) => this.#withhold(withheld)) };
    const identity: NodeIdentity = {
      ...{ nodeId, version, hostname, labels, addresses, ...limits },
      instanceId: randomUUID(),
      encodings: ENCODINGS,
      takesDeltas: options.takesDeltas ?? true,
      plugins: options.plugins ?? {},
      rpcPrefixes: RpcPeer.prefixesOf(methods),
    };
    this.#options = options;
    this.#cpAddress = addresses[0] ?? "";
    this.#runner = new SessionRunner(
      initialNodeState(options.running),
      (state, event: NodeEvent) => step(identity, state, event),
      (effect) => this.#perform(effect),
    );
    const { connector, clock, logger } = options;
    const happened = (occurrence: NodeOccurrence) => this.#happened(occurrence);
    this.#link = new ControlPlaneLink({ connector, methods, happened, clock, logger });
    this.#timers = new NamedTimers(clock, (timer) => this.#dispatch({ type: "timer", timer }));
    this.#connects = meter.counter(SYNC_METRICS.connects);
    this.#configurations = meter.counter(SYNC_METRICS.configurations);
    meter.observeGauge(SYNC_METRICS.connected, () => [[{}, this.status().connected ? 1 : 0]]);
    meter.observeGauge(SYNC_METRICS.configVersion, () => [[{}, this.status().configVersion]]);
  }

  /** Does not wait for a connection: a data plane runs without one. */
  async start(): Promise<void> {
    this.#dispatch({ type: "start" });
  }

  async stop(deadline: AbortSignal): Promise<void> {
    this.#dispatch({ type: "stop" });
    this.#connectedAtMs = undefined;
    this.#stopping.abort();
    if (this.#applying !== undefined && !deadline.aborted)
      await Promise.race([
        this.#applying,
        new Promise<void>((resolve) => deadline.addEventListener("abort", () => resolve(), { once: true })),
      ]);
  }

  /**
   * Calls a method of the control plane.
   * @throws RpcFailure, see RpcPeer.call
   */
  call(method: string, params: JsonObject, options: CallOptions): Promise<Json> {
    return this.#link.call(method, params, options);
  }

  /**
   * Has the control plane send everything, and verifies and applies it, whatever this node believes to run.
   * @throws RunwayError nodeNotConnected
   */
  resync(): void {
    const { link } = this.#runner.state;
    if (link.phase !== "live" || link.peer !== "runway")
      throw new RunwayError("nodeNotConnected", "No control plane that could send it is connected.");
    this.#dispatch({ type: "resync" });
  }

  status(): AgentStatus {
    const { link, running, originalHash, lastReloadError, lastLinkError } = this.#runner.state;
    return {
      connected: link.phase === "live",
      cpAddress: this.#cpAddress,
      peer: link.phase === "live" ? link.peer : undefined,
      connectedAtMs: this.#connectedAtMs,
      hasConfig: running !== undefined,
      epoch: running?.epoch ?? "",
      configVersion: running?.version ?? 0,
      configHash: originalHash === 0n ? (running?.hash ?? 0n) : originalHash,
      lastReloadError,
      lastError: lastLinkError,
      withheld: this.#isWithheld(running) ? this.#withheld : undefined,
    };
  }

  /** What has been given meanwhile, or is of another control plane, is not withheld. */
  #isWithheld(running: Stamp | undefined): boolean {
    const { epoch, version } = this.#withheld?.newest ?? { epoch: "", version: 0 };
    return this.#link.takesCalls && (running?.epoch !== epoch || running.version < version);
  }

  #withhold(withheld: Withheld): void {
    this.#withheld = withheld;
    const { newest, reason } = withheld;
    this.#options.logger.warn("A version of the configuration is not given to this node; it serves what it has", {
      version: newest.version,
      reason,
    });
  }

  #dispatch(event: NodeOccurrence): void {
    const { clock, random } = this.#options;
    const wasLive = this.status().connected;
    this.#runner.dispatch({ ...event, atMs: clock.monotonicMs(), random: random() });
    const isLive = this.status().connected;
    if (isLive !== wasLive) this.#linkChanged(isLive);
  }

  #linkChanged(isLive: boolean): void {
    const { clock, logger } = this.#options;
    const { link, lastLinkError } = this.#runner.state;
    this.#connectedAtMs = isLive ? clock.now() : undefined;
    if (link.phase === "live")
      logger.info("Connected to the control plane", { address: link.address, peer: link.peer });
    else if (link.phase === "waiting")
      logger.warn("The connection to the control plane ended; serving goes on", { reason: lastLinkError });
  }

  #perform(effect: NodeEffect): void {
    switch (effect.type) {
      case "connect":
        this.#cpAddress = effect.address;
        this.#connects.add();
        this.#link.connect(effect.address);
        break;
      case "disconnect":
        this.#link.disconnect();
        break;
      case "send":
        this.#link.send(effect.message);
        break;
      case "send heartbeat":
        this.#link.send(this.#heartbeat(effect.running));
        break;
      case "welcomed":
        this.#withheld = undefined;
        this.#link.greet(effect.rpcPrefixes);
        break;
      case "rpc":
        this.#link.take(effect.frame);
        break;
      case "apply":
        this.#applying = this.#apply(effect.incoming);
        break;
      case "set timer":
        this.#timers.set(effect.timer, effect.delayMs);
        break;
      case "clear timer":
        this.#timers.clear(effect.timer);
        break;
    }
  }

  #happened(occurrence: NodeOccurrence): void {
    if (occurrence.type === "closed" && !this.status().connected) {
      const { reason, comeBackAfterMs } = occurrence;
      this.#options.logger.warn("The control plane could not be reached or did not accept this node", {
        ...{ address: this.#cpAddress, reason },
        ...(comeBackAfterMs === undefined ? {} : { comeBackAfterMs }),
      });
    }
    this.#dispatch(occurrence);
  }

  #heartbeat(running: Stamp | undefined): FromNode {
    const { nodeId, version, clock, status } = this.#options;
    const { lastReloadError, running: own } = this.#runner.state;
    const ours = { runwayVersion: version, lastReloadError, lastSuccessfulVersion: own?.version ?? 0 };
    return { type: "heartbeat", nodeId, running, status: { ...status(), ...ours }, sentAtMs: clock.now() };
  }

  async #apply(incoming: Incoming): Promise<void> {
    const { sink, logger } = this.#options;
    this.#configurations.add(1, { form: formOf(incoming) });
    const outcome = await sink.apply(incoming, this.#stopping.signal).catch((error: unknown): ApplyOutcome => {
      logger.error("Applying a configuration failed in an unforeseen way", { error });
      return {
        ok: false,
        reason: "RW_INTERNAL",
        problems: [{ path: "", message: "applying failed; see the node's log" }],
      };
    });
    this.#applying = undefined;
    this.#dispatch({ type: "applied", outcome });
  }
}

function formOf(incoming: Incoming): string {
  if (incoming.kind === "original") return "document";
  return incoming.delta === undefined ? "snapshot" : "delta";
}
