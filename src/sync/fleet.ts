import type { X509Certificate } from "node:crypto";
import type { Json, JsonObject } from "../config/json.ts";
import type { Language } from "../config/language.ts";
import type { Clock } from "../core/clock.ts";
import { FAILURES, type FailureKind, RunwayError } from "../core/failure.ts";
import type { Logger, Meter } from "../core/ports.ts";
import { Admission, type AdmissionRules } from "./admission.ts";
import type { ApplyReport } from "./apply-wait.ts";
import { ApplyWaits } from "./apply-waits.ts";
import type { NodeStream, NodeStreamEvents } from "./connection.ts";
import type { Step } from "./delta-history.ts";
import type { FleetSource } from "./edition.ts";
import { Editions } from "./editions.ts";
import { FanOut } from "./fan-out.ts";
import { FleetMetrics } from "./fleet-metrics.ts";
import type { Refusal } from "./fleet-state.ts";
import { type FleetMethod, FleetStream, type StreamContext } from "./fleet-stream.ts";
import type { Ack, Heartbeat, Hello, Nack, Stamp } from "./messages.ts";
import type { IdentityLedger, Verdict } from "./node-identity.ts";
import { NodeRoster } from "./node-roster.ts";
import type { NodeView } from "./node-view.ts";
import { isSignedBy } from "./peer-certificate.ts";
import { Rejections } from "./rejections.ts";
import { type CallOptions, RpcPeer } from "./rpc/rpc-peer.ts";
import { SendTurns } from "./send-turns.ts";
import { SYNC_PREFIX } from "./sync-methods.ts";
import type { Compatibility } from "./version-gate.ts";

export interface FleetOptions extends AdmissionRules {
  readonly controlPlaneId: string;
  /** Of the program. */
  readonly version: string;
  readonly ledger: IdentityLedger;
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  readonly logger: Logger;
  readonly meter: Meter;
  /** Connected and offline ones together. */
  readonly maxNodes?: number;
  /** Where other control planes of the same fleet are, for nodes to turn to. */
  readonly otherAddresses?: () => readonly string[];
  /** What nodes may ask, by the whole name of the method. */
  readonly methods?: Readonly<Record<string, FleetMethod>>;
  /** Of what is published; left out, every node is taken for one that knows all of it. */
  readonly language?: Language;
  /** How much older than the control plane's the programs of its nodes may be; in their patch version alone when left out. */
  readonly compatibility?: Compatibility;
  /** A node that is behind for so long raises an alarm; a minute when left out. */
  readonly behindLimitMs?: number;
  /** Streams that are sent a configuration at one time. */
  readonly maxConcurrentSends?: number;
}

/** What keeps a node out, as a row of its own beside the node's. */
const SHOWN_REJECTIONS: ReadonlySet<FailureKind> = new Set([
  ...(["identityRefused", "certificateRevoked", "versionMismatch", "overloaded"] as const),
]);

/** Checking a signature takes a tenth of a millisecond. */
const JUDGED_A_TURN = 50;

/**
 * The control plane's registry of nodes: gives each the newest configuration and knows what each runs. Transports hand
 * their streams to `connect`.
 */
export class Fleet {
  readonly #options: FleetOptions;
  readonly #context: StreamContext;
  readonly #metrics: FleetMetrics;
  readonly #editions: Editions;
  readonly #roster: NodeRoster;
  readonly #admission: Admission;
  /** Every stream that is open, whether let in or not. */
  readonly #open = new Set<FleetStream>();
  readonly #rejections = new Rejections();
  readonly #waits: ApplyWaits;
  readonly #fanOut: FanOut;
  #publishedMs = 0;

  constructor(options: FleetOptions) {
    const { controlPlaneId, version, clock, random, ledger, logger, meter, methods = {} } = options;
    const { compatibility = "patch", behindLimitMs = 60_000, otherAddresses = () => [] } = options;
    const turns = new SendTurns(options.maxConcurrentSends ?? 32, clock);
    const newestFor = (hello: Hello) => this.#editions.newestFor(hello);
    this.#options = options;
    this.#editions = new Editions(options.language, compatibility === "minor" ? "leaves out" : "withholds");
    this.#roster = new NodeRoster(ledger, options.maxNodes ?? 10_000);
    this.#admission = new Admission(options, this.#roster, turns, newestFor);
    this.#waits = new ApplyWaits(clock);
    this.#fanOut = new FanOut(clock, () => this.#send());
    const owner: StreamContext["owner"] = {
      authorise: (stream, hello) => this.#authorise(stream, hello),
      newestFor,
      alarmed: (stream, isBehind) => this.#alarmed(stream, isBehind),
      reported: (stream, news) => this.#reported(stream, news),
      rejected: (stream, why) => this.#rejected(stream, why),
    };
    const rpcPrefixes = [...new Set([...RpcPeer.prefixesOf(methods), SYNC_PREFIX])];
    const identity = { controlPlaneId, version, compatibility, behindLimitMs, rpcPrefixes, otherAddresses };
    this.#context = { identity, clock, random, turns, owner, methods, logger };
    this.#metrics = new FleetMetrics(meter, () => this.nodes(), turns);
  }

  /** What was published last. */
  get newest(): Stamp | undefined {
    return this.#editions.newest?.stamp;
  }

  /** Makes this the configuration of every node. An older version of the same epoch is ignored. */
  publish(source: FleetSource): void {
    const { epoch, version } = source.snapshot;
    const before = this.newest;
    if (before?.epoch === epoch && before.version > version) {
      const fields = { version, newest: before.version };
      this.#options.logger.warn("An older version than the newest was to be published and is ignored", fields);
      return;
    }
    this.#editions.publish(source);
    this.#publishedMs = this.#options.clock.monotonicMs();
    this.#fanOut.request();
  }

  /** What led to the newest version in an earlier life of the control plane; oldest first. Before the first node comes. */
  remember(steps: readonly Step[]): void {
    this.#editions.remember(steps);
  }

  #send(): void {
    for (const stream of [...this.#open]) {
      const { hello } = stream.state;
      stream.publish((hello === undefined ? this.#editions.newest : this.#editions.newestFor(hello))!);
      // Nothing will come of a node that cannot be given it.
      if (stream.state.obstacle !== "") this.#waits.look(stream);
    }
  }

  /** A transport has a new stream; it tells what comes on it. */
  connect(nodeStream: NodeStream): NodeStreamEvents {
    const stream = new FleetStream(nodeStream, this.#editions.newest, this.#context);
    this.#open.add(stream);
    return {
      received: (message) => stream.receive(message),
      closed: () => this.#closed(stream),
    };
  }

  /** Something was revoked: ends the streams that may not go on, at once. */
  enforceRevocations(): void {
    for (const stream of [...this.#open]) {
      const revoked = this.#admission.revocationOf(stream, stream.nodeId);
      if (revoked !== undefined) stream.forbid("certificateRevoked", revoked);
    }
  }

  /**
   * The authorities of nodes are others now: ends the streams of nodes that have no certificate of any of them, a few in each turn of
   * the event loop. What a node was given since it connected counts.
   */
  async enforceAuthorities(authorities: readonly X509Certificate[]): Promise<void> {
    let judged = 0;
    for (const stream of [...this.#open]) {
      if (!isSignedBy(stream.certificate, authorities))
        stream.forbid("identityRefused", "the authority of its certificate is not accepted any more");
      judged += 1;
      if (judged % JUDGED_A_TURN === 0) await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Asks every node that is connected here, and waits for no answer. */
  notify(method: string, params: JsonObject): void {
    for (const stream of this.#open) stream.rpc?.notify(method, params);
  }

  /** Ordered by node id; those that were not let in have rows of their own. */
  nodes(): NodeView[] {
    const known = this.#roster.views(this.newest);
    const rejected = this.#rejections.views(this.newest, this.#options.clock.now());
    return [...known, ...rejected].sort((one, other) => compare(one.nodeId, other.nodeId));
  }

  /** Forgets a node that is not connected, and who owned its id. */
  forget(nodeId: string): "forgotten" | "connected" | "unknown" {
    if (this.#roster.streamOf(nodeId)?.isOpen === true) return "connected";
    const isKnown = this.#roster.forget(nodeId);
    const wasRejected = this.#rejections.clear(nodeId);
    return isKnown || wasRejected ? "forgotten" : "unknown";
  }

  /**
   * Calls a method of a node.
   * @throws RunwayError notFound, when the node is not connected; RpcFailure, see RpcPeer.call
   */
  async call(nodeId: string, method: string, params: JsonObject, options: CallOptions): Promise<Json> {
    const rpc = this.#roster.streamOf(nodeId)?.rpc;
    if (rpc === undefined) throw new RunwayError("notFound", `node ${nodeId} is not connected to this control plane`);
    return rpc.call(method, params, options);
  }

  /**
   * Resolves when every node that is connected now has applied `version` or a later one, refused it or left, or when
   * time is up.
   * @throws RunwayError overloaded, when too many wait already
   */
  waitApplied(version: number, { timeoutMs }: { timeoutMs: number }): Promise<ApplyReport> {
    const startMs = this.newest?.version === version ? this.#publishedMs : this.#options.clock.monotonicMs();
    return this.#waits.begin(version, this.#roster.live(), { startMs, timeoutMs });
  }

  #authorise(stream: FleetStream, hello: Hello): Verdict {
    const { nodeId } = hello;
    const verdict = this.#admission.judge(stream, hello);
    if (!verdict.allowed) return verdict;
    const before = this.#roster.streamOf(nodeId);
    const forgotten = this.#roster.enter(nodeId, verdict.owner, stream);
    if (forgotten !== undefined)
      this.#options.logger.warn("A node that was offline was forgotten to make room", { nodeId: forgotten });
    this.#rejections.clear(nodeId, stream.peer.certificate.keyFingerprint);
    if (before !== undefined) {
      this.#open.delete(before);
      before.replace();
    }
    this.#log("info", "A node connected", stream);
    return verdict;
  }

  #alarmed(stream: FleetStream, isBehind: boolean): void {
    const { running, lastNack, obstacle } = stream.state;
    const { version } = this.newest ?? {};
    if (!isBehind) this.#log("info", "A node that had stayed behind goes on", stream, { version });
    else {
      const reason = obstacle === "" ? lastNack?.problems[0]?.message : obstacle;
      this.#log("error", "A node stays behind", stream, { runs: running?.version ?? 0, newest: version, reason });
    }
  }

  #reported(stream: FleetStream, news: Ack | Nack | Heartbeat): void {
    this.#waits.look(stream);
    if (news.type === "heartbeat") return;
    const isNewest = news.version === this.newest?.version;
    this.#metrics.answered(news, isNewest ? this.#options.clock.monotonicMs() - this.#publishedMs : undefined);
    if (news.type === "ack")
      this.#log("debug", "A node applied a configuration", stream, {
        version: news.version,
        durationsMs: news.durationsMs,
      });
    else {
      const { version, reason, problems } = news;
      this.#log("warn", "A node refused a configuration", stream, { version, reason, problems: problems.slice(0, 5) });
    }
  }

  #rejected(stream: FleetStream, { kind, detail, comeBackAfterMs }: Refusal): void {
    this.#left(stream);
    if (comeBackAfterMs !== undefined) {
      this.#metrics.deferred();
      this.#log("info", "A node was told to come back later", stream, { comeBackAfterMs, reason: detail });
      return;
    }
    this.#metrics.rejected(kind);
    if (SHOWN_REJECTIONS.has(kind)) this.#rejections.add(stream, kind, detail, this.#options.clock.now());
    this.#log("warn", "A node was rejected", stream, { code: FAILURES[kind].code, reason: detail });
  }

  #closed(stream: FleetStream): void {
    if (!this.#open.has(stream)) return;
    stream.close();
    if (this.#left(stream)) this.#log("info", "A node disconnected", stream);
  }

  /** @returns whether the node has no other stream */
  #left(stream: FleetStream): boolean {
    this.#open.delete(stream);
    const isCurrent = this.#roster.streamOf(stream.nodeId) === stream;
    if (isCurrent) this.#waits.look(stream);
    return isCurrent;
  }

  #log(
    level: "debug" | "info" | "warn" | "error",
    message: string,
    { peer, state }: FleetStream,
    fields: Record<string, unknown> = {},
  ): void {
    const { address, certificate } = peer;
    const nodeId = state.hello?.nodeId;
    this.#options.logger[level](message, { nodeId, address, certificate: certificate.subject, ...fields });
  }
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
