import type { Json, JsonObject } from "../config/json.ts";
import type { Clock } from "../core/clock.ts";
import type { FailureKind } from "../core/failure.ts";
import type { Logger } from "../core/ports.ts";
import type { NodeStream, PeerCertificate, StreamPeer } from "./connection.ts";
import { stepFleet } from "./fleet-session.ts";
import {
  type ControlPlaneIdentity,
  type FleetEffect,
  type FleetEvent,
  type FleetOccurrence,
  type FleetState,
  type FleetTimer,
  initialFleetState,
  type Refusal,
} from "./fleet-state.ts";
import type { Ack, FromNode, Heartbeat, Hello, Nack } from "./messages.ts";
import { NamedTimers } from "./named-timers.ts";
import type { Verdict } from "./node-identity.ts";
import type { Publication } from "./publication.ts";
import { type RpcMethod, RpcPeer } from "./rpc/rpc-peer.ts";
import type { SendTurns } from "./send-turns.ts";
import { SessionRunner } from "./session-runner.ts";
import { announcementOf, NEW_VERSION, syncMethods } from "./sync-methods.ts";

/** Node interval that is assumed of an original data plane, which does not say its own. */
const ORIGINAL_HEARTBEAT_MS = 10_000;
const STALE_INTERVALS = 3;

/** What a stream asks of the fleet that it belongs to. */
interface StreamOwner {
  authorise(stream: FleetStream, hello: Hello): Verdict;
  /** The newest configuration as the node knows it. */
  newestFor(hello: Hello): Publication | undefined;
  /** The node stays behind, or goes on after that. */
  alarmed(stream: FleetStream, isBehind: boolean): void;
  reported(stream: FleetStream, news: Ack | Nack | Heartbeat): void;
  /** The control plane ended the stream. */
  rejected(stream: FleetStream, why: Refusal): void;
}

/** A node that calls. */
export interface CallingNode {
  readonly nodeId: string;
  /** It was given this certificate, and has shown that it has the key. */
  renewed(certificate: PeerCertificate): void;
}

/** Answers a call of a node; see RpcMethod. */
export type FleetMethod = (params: JsonObject, signal: AbortSignal, node: CallingNode) => Json | Promise<Json>;

export interface StreamContext {
  readonly identity: ControlPlaneIdentity;
  readonly clock: Clock;
  readonly random: () => number;
  readonly turns: SendTurns;
  readonly owner: StreamOwner;
  /** What nodes may ask, by the whole name of the method. */
  readonly methods: Readonly<Record<string, FleetMethod>>;
  readonly logger: Logger;
}

/** Drives the session of one stream, and keeps what was seen of the node after the stream has ended. */
export class FleetStream implements CallingNode {
  readonly peer: StreamPeer;
  /** By the wall clock, for people. */
  readonly connectedAtMs: number;
  lastHeardAtMs: number;
  disconnectedAtMs: number | undefined;
  readonly #context: StreamContext;
  /** Let go of when it has ended: a node that is offline costs little memory. */
  #stream: NodeStream | undefined;
  readonly #runner: SessionRunner<FleetState, FleetEvent, FleetEffect>;
  readonly #timers: NamedTimers<FleetTimer>;
  #certificate: PeerCertificate;
  /** Made when somebody has something to say. */
  #rpc: RpcPeer | undefined;

  constructor(stream: NodeStream, newest: Publication | undefined, context: StreamContext) {
    const { identity, clock } = context;
    this.peer = stream.peer;
    this.#stream = stream;
    this.#certificate = stream.peer.certificate;
    this.#context = context;
    this.connectedAtMs = clock.now();
    this.lastHeardAtMs = this.connectedAtMs;
    this.#runner = new SessionRunner(
      initialFleetState(newest, clock.monotonicMs()),
      (state, event: FleetEvent) => stepFleet(identity, state, event),
      (effect) => this.#perform(effect),
    );
    this.#timers = new NamedTimers(clock, (timer) => this.#dispatch({ type: "timer", timer }));
    this.#dispatch({ type: "opened" });
  }

  get state(): FleetState {
    return this.#runner.state;
  }

  /** Empty until it has said who it is. */
  get nodeId(): string {
    return this.state.hello?.nodeId ?? "";
  }

  /** The newest that the node is known to have; that of the handshake is `peer.certificate`. */
  get certificate(): PeerCertificate {
    return this.#certificate;
  }

  get isOpen(): boolean {
    return this.state.phase !== "ended";
  }

  /** Whether nothing was heard for three of the node's own heartbeat intervals. */
  get isStale(): boolean {
    const intervalMs = this.state.hello?.heartbeatIntervalMs || ORIGINAL_HEARTBEAT_MS;
    return this.#context.clock.monotonicMs() - this.state.lastHeardMs > STALE_INTERVALS * intervalMs;
  }

  /** By the wall clock; undefined while the node is level. */
  get behindSinceMs(): number | undefined {
    const { clock } = this.#context;
    const { behind } = this.state;
    return behind && clock.now() - (clock.monotonicMs() - behind.sinceMs);
  }

  /** The remote calls of the node; undefined while there is none to call. */
  get rpc(): RpcPeer | undefined {
    const { phase, peer, hello } = this.state;
    if (phase !== "live" || peer !== "runway") return undefined;
    this.#rpc ??= this.#createRpc(hello?.capabilities ?? []);
    return this.#rpc;
  }

  renewed(certificate: PeerCertificate): void {
    this.#certificate = certificate;
  }

  receive(message: FromNode): void {
    this.lastHeardAtMs = this.#context.clock.now();
    this.#dispatch({ type: "received", message });
  }

  publish(publication: Publication): void {
    this.#dispatch({ type: "published", publication });
  }

  /** Ends the stream with a failure that the node is told. */
  forbid(kind: FailureKind, detail: string): void {
    this.#dispatch({ type: "forbidden", kind, detail });
  }

  /** The node came back on another stream. */
  replace(): void {
    const stream = this.#stream;
    this.close();
    stream?.end("streamReplaced", "the node connected anew");
  }

  /** The stream has ended. */
  close(): void {
    if (!this.isOpen) return;
    this.#dispatch({ type: "closed" });
    this.#release();
  }

  #createRpc(capabilities: readonly string[]): RpcPeer {
    const { methods, clock, logger } = this.#context;
    const own = Object.entries(methods).map(([name, answer]): [string, RpcMethod] => [
      name,
      (params, signal) => answer(params, signal, this),
    ]);
    const rpc = new RpcPeer({
      methods: { ...Object.fromEntries(own), ...syncMethods(() => this.state.newest) },
      clock,
      send: (frame) => this.#stream?.send({ type: "rpc", frame }, () => {}),
      onFault: (method, error) => logger.error("Answering a node's call failed", { method, error }),
    });
    rpc.learn(capabilities);
    return rpc;
  }

  #release(): NodeStream | undefined {
    this.#rpc?.close();
    const stream = this.#stream;
    this.#stream = undefined;
    this.disconnectedAtMs = this.#context.clock.now();
    return stream;
  }

  #dispatch(event: FleetOccurrence): void {
    const { clock, random } = this.#context;
    this.#runner.dispatch({ ...event, atMs: clock.monotonicMs(), random: random() });
  }

  #perform(effect: FleetEffect): void {
    switch (effect.type) {
      case "authorise": {
        const verdict = this.#context.owner.authorise(this, effect.hello);
        if (verdict.allowed)
          this.#dispatch({ type: "authorised", newest: this.#context.owner.newestFor(effect.hello) });
        else this.#dispatch({ ...verdict, type: "forbidden" });
        break;
      }
      case "send": {
        const isConfiguration = effect.message.type !== "welcome";
        this.#stream?.send(effect.message, () => isConfiguration && this.#dispatch({ type: "sent" }));
        break;
      }
      case "end": {
        const stream = this.#release();
        this.#context.owner.rejected(this, effect);
        stream?.end(effect.kind, effect.detail, effect.comeBackAfterMs);
        break;
      }
      case "ask for turn":
        this.#context.turns.ask(this, () => this.#dispatch({ type: "turn" }));
        break;
      case "give up turn":
        this.#context.turns.giveUp(this);
        break;
      case "set timer":
        this.#timers.set(effect.timer, effect.delayMs);
        break;
      case "clear timer":
        this.#timers.clear(effect.timer);
        break;
      case "rpc":
        this.rpc?.receive(effect.frame);
        break;
      case "alarm":
        this.#context.owner.alarmed(this, effect.isBehind);
        break;
      case "announce":
        this.rpc?.notify(NEW_VERSION, announcementOf(effect));
        break;
      case "report":
        this.#context.owner.reported(this, effect.news);
        break;
    }
  }
}
