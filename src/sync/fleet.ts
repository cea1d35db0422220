import type { X509Certificate } from "node:crypto";
import type { Json, JsonObject } from "../config/json.ts";
import type { Language } from "../config/language.ts";
import type { Clock } from "../core/clock.ts";
import { FAILURES, type FailureKind, RunwayError } from "../core/failure.ts";
import type { Logger, Meter } from "../core/ports.ts";
import { type ApplyReport, ApplyWait } from "./apply-wait.ts";
import type { NodeStream, NodeStreamEvents, PeerCertificate } from "./connection.ts";
import { isSameStamp, type Step } from "./delta-history.ts";
import type { FleetSource } from "./edition.ts";
import { Editions } from "./editions.ts";
import { FleetMetrics } from "./fleet-metrics.ts";
import type { Refusal } from "./fleet-state.ts";
import { type FleetMethod, FleetStream, type StreamContext } from "./fleet-stream.ts";
import type { Ack, Heartbeat, Hello, Nack, Stamp } from "./messages.ts";
import { type IdentityLedger, judgeClaim, type Verdict } from "./node-identity.ts";
import { type NodeView, viewOf, viewOfAbsent } from "./node-view.ts";
import { isSignedBy } from "./peer-certificate.ts";
import { Rejections } from "./rejections.ts";
import { type CallOptions, RpcPeer } from "./rpc/rpc-peer.ts";
import { SendTurns } from "./send-turns.ts";
import { SYNC_PREFIX } from "./sync-methods.ts";
import type { Compatibility } from "./version-gate.ts";

export interface FleetOptions {
  readonly controlPlaneId: string;
  /** Of the program. */
  readonly version: string;
  readonly ledger: IdentityLedger;
  /** The only trust domain of node certificates; undefined accepts any that the CA signed for. */
  readonly trustDomain?: string | undefined;
  /** Why a certificate that was verified may not speak for the node all the same: it was revoked. */
  readonly revocationOf?: (nodeId: string, certificate: PeerCertificate) => string | undefined;
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
  /** Streams that wait for their turn to be sent one. Beyond it a node that comes and is not level is told to come back later. */
  readonly maxWaitingSends?: number;
}

/** What keeps a node out, as a row of its own beside the node's. */
const SHOWN_REJECTIONS: ReadonlySet<FailureKind> = new Set([
  ...(["identityRefused", "certificateRevoked", "versionMismatch", "overloaded"] as const),
]);

const MAX_WAITS = 100;
/** Checking a signature takes a tenth of a millisecond. */
const JUDGED_A_TURN = 50;
/** What a node that has to come back is told at least and at most. */
const COME_BACK_MS = { least: 1_000, most: 60_000 } as const;
/** Between two fan-outs. */
const FAN_OUT_PAUSE_MS = 50;

/**
 * The control plane's registry of nodes: gives each the newest configuration and knows what each runs. Transports hand
 * their streams to `connect`.
 */
export class Fleet {
  readonly #options: FleetOptions;
  readonly #maxNodes: number;
  readonly #turns: SendTurns;
  readonly #context: StreamContext;
  readonly #metrics: FleetMetrics;
  /** By node id, in the order of their last arrival. Undefined: known from before this control plane started. */
  readonly #nodes = new Map<string, FleetStream | undefined>();
  /** Every stream that is open, whether let in or not. */
  readonly #open = new Set<FleetStream>();
  readonly #rejections = new Rejections();
  readonly #waits = new Set<ApplyWait>();
  readonly #editions: Editions;
  #fannedOutMs = Number.NEGATIVE_INFINITY;
  #isFanOutDue = false;
  #publishedMs = 0;

  constructor(options: FleetOptions) {
    const { controlPlaneId, version, clock, random, ledger, logger, meter, methods = {} } = options;
    const { compatibility = "patch", behindLimitMs = 60_000 } = options;
    const turns = new SendTurns(options.maxConcurrentSends ?? 32, clock);
    this.#options = options;
    this.#turns = turns;
    this.#maxNodes = options.maxNodes ?? 10_000;
    const owner: StreamContext["owner"] = {
      authorise: (stream, hello) => this.#authorise(stream, hello),
      newestFor: (hello) => this.#editions.newestFor(hello),
      alarmed: (stream, isBehind) => this.#alarmed(stream, isBehind),
      reported: (stream, news) => this.#reported(stream, news),
      rejected: (stream, why) => this.#rejected(stream, why),
    };
    const { otherAddresses = () => [] } = options;
    this.#editions = new Editions(options.language, compatibility === "minor" ? "leaves out" : "withholds");
    const rpcPrefixes = [...new Set([...RpcPeer.prefixesOf(methods), SYNC_PREFIX])];
    const identity = { controlPlaneId, version, compatibility, behindLimitMs, rpcPrefixes, otherAddresses };
    this.#context = { identity, clock, random, turns, owner, methods, logger };
    this.#metrics = new FleetMetrics(meter, () => this.nodes(), turns);
    for (const nodeId of ledger.nodeIds()) this.#nodes.set(nodeId, undefined);
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
    this.#fanOut();
  }

  /** What led to the newest version in an earlier life of the control plane; oldest first. Before the first node comes. */
  remember(steps: readonly Step[]): void {
    this.#editions.remember(steps);
  }

  /** The first change goes out at once; those that come soon after it go out together. */
  #fanOut(): void {
    if (this.#isFanOutDue) return;
    const { clock } = this.#options;
    const waitMs = this.#fannedOutMs + FAN_OUT_PAUSE_MS - clock.monotonicMs();
    if (waitMs > 0) {
      this.#isFanOutDue = true;
      clock.after(waitMs, () => {
        this.#isFanOutDue = false;
        this.#fanOut();
      });
      return;
    }
    this.#fannedOutMs = clock.monotonicMs();
    for (const stream of [...this.#open]) {
      const { hello } = stream.state;
      stream.publish((hello === undefined ? this.#editions.newest : this.#editions.newestFor(hello))!);
      // Nothing will come of a node that cannot be given it.
      if (stream.state.obstacle !== "") for (const wait of this.#waits) wait.look(stream, clock.monotonicMs());
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
      const revoked = this.#revocationOf(stream, stream.nodeId);
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
    const known = [...this.#nodes].map(([nodeId, stream]) =>
      stream === undefined ? viewOfAbsent(nodeId, this.newest) : viewOf(stream, this.newest),
    );
    const rejected = this.#rejections.views(this.newest, this.#options.clock.now());
    return [...known, ...rejected].sort((one, other) => compare(one.nodeId, other.nodeId));
  }

  /** Forgets a node that is not connected, and who owned its id. */
  forget(nodeId: string): "forgotten" | "connected" | "unknown" {
    const stream = this.#nodes.get(nodeId);
    if (stream?.isOpen === true) return "connected";
    const isKnown = this.#nodes.delete(nodeId) || this.#options.ledger.ownerOf(nodeId) !== undefined;
    const wasRejected = this.#rejections.clear(nodeId);
    if (!isKnown && !wasRejected) return "unknown";
    this.#options.ledger.forget(nodeId);
    return "forgotten";
  }

  /**
   * Calls a method of a node.
   * @throws RunwayError notFound, when the node is not connected; RpcFailure, see RpcPeer.call
   */
  async call(nodeId: string, method: string, params: JsonObject, options: CallOptions): Promise<Json> {
    const rpc = this.#nodes.get(nodeId)?.rpc;
    if (rpc === undefined) throw new RunwayError("notFound", `node ${nodeId} is not connected to this control plane`);
    return rpc.call(method, params, options);
  }

  /**
   * Resolves when every node that is connected now has applied `version` or a later one, refused it or left, or when
   * time is up.
   * @throws RunwayError overloaded, when too many wait already
   */
  waitApplied(version: number, { timeoutMs }: { timeoutMs: number }): Promise<ApplyReport> {
    if (this.#waits.size >= MAX_WAITS) throw new RunwayError("overloaded", "too many requests wait for the fleet");
    const { clock } = this.#options;
    const { promise, resolve } = Promise.withResolvers<ApplyReport>();
    const live = [...this.#nodes.values()].flatMap((stream) => (stream?.isOpen === true ? [stream] : []));
    const startMs = this.newest?.version === version ? this.#publishedMs : clock.monotonicMs();
    const wait = new ApplyWait(version, live, startMs, (report) => {
      cancel();
      this.#waits.delete(wait);
      resolve(report);
    });
    const cancel = clock.after(timeoutMs, () => wait.expire());
    this.#waits.add(wait);
    wait.begin(clock.monotonicMs());
    return promise;
  }

  #authorise(stream: FleetStream, hello: Hello): Verdict {
    const { ledger, trustDomain } = this.#options;
    const { certificate } = stream.peer;
    const revoked = this.#revocationOf(stream, hello.nodeId);
    if (revoked !== undefined) return { allowed: false, kind: "certificateRevoked", detail: revoked };
    const verdict = judgeClaim(hello.nodeId, certificate, ledger.ownerOf(hello.nodeId), trustDomain);
    if (!verdict.allowed) return verdict;
    const overload = this.#overloadFor(hello);
    if (overload !== undefined) return { allowed: false, ...overload };
    const before = this.#nodes.get(hello.nodeId);
    if (before?.isOpen === true && isTwin(before, hello))
      return { allowed: false, kind: "identityRefused", detail: describeTwin(before) };
    if (!this.#nodes.has(hello.nodeId) && !this.#makeRoom())
      return { allowed: false, kind: "overloaded", detail: `${this.#maxNodes} nodes are connected, and no more fit` };
    ledger.claim(hello.nodeId, verdict.owner);
    this.#nodes.delete(hello.nodeId);
    this.#nodes.set(hello.nodeId, stream);
    this.#rejections.clear(hello.nodeId, certificate.keyFingerprint);
    if (before !== undefined) {
      this.#open.delete(before);
      before.replace();
    }
    this.#log("info", "A node connected", stream);
    return verdict;
  }

  /** Whoever has the key of a certificate that was revoked may be who had it renewed. */
  #revocationOf({ peer, certificate }: FleetStream, nodeId: string): string | undefined {
    const { revocationOf } = this.#options;
    return revocationOf?.(nodeId, peer.certificate) ?? revocationOf?.(nodeId, certificate);
  }

  /** A node that is level costs nothing more once it is here; any other waits here, or elsewhere when too many do. */
  #overloadFor(hello: Hello): Refusal | undefined {
    const { maxWaitingSends = 1_024 } = this.#options;
    const newest = this.#editions.newestFor(hello);
    const isLevel = newest === undefined || newest.obstacle !== "" || isSameStamp(newest.stamp, hello.running);
    if (isLevel || !this.#turns.isFull || this.#turns.waiting < maxWaitingSends) return undefined;
    const comeBackAfterMs = Math.min(COME_BACK_MS.most, Math.max(COME_BACK_MS.least, this.#turns.backlogMs));
    const detail = `${this.#turns.waiting} nodes wait to be sent the configuration; come back in ${Math.ceil(comeBackAfterMs)} ms`;
    return { kind: "overloaded", detail, comeBackAfterMs };
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
    const nowMs = this.#options.clock.monotonicMs();
    for (const wait of this.#waits) wait.look(stream, nowMs);
    if (news.type === "heartbeat") return;
    const isNewest = news.version === this.newest?.version;
    this.#metrics.answered(news, isNewest ? nowMs - this.#publishedMs : undefined);
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
    const isCurrent = this.#nodes.get(stream.state.hello?.nodeId ?? "") === stream;
    if (isCurrent) for (const wait of this.#waits) wait.look(stream, this.#options.clock.monotonicMs());
    return isCurrent;
  }

  /** The node that is offline longest makes room for a new one, and its id is free again. */
  #makeRoom(): boolean {
    if (this.#nodes.size < this.#maxNodes) return true;
    for (const [nodeId, stream] of this.#nodes) {
      if (stream?.isOpen === true) continue;
      this.forget(nodeId);
      this.#options.logger.warn("A node that was offline was forgotten to make room", { nodeId });
      return true;
    }
    return false;
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

/**
 * Whether another process already speaks for the node. The stream of a process that died is closed by its kernel at once,
 * and that of a machine that died by keepalive within 20 s, so an open stream that is not stale is a live process. A
 * restarted node is thus kept out for 20 s at worst, and goes on with its cache meanwhile.
 */
function isTwin(before: FleetStream, hello: Hello): boolean {
  const instanceId = before.state.hello?.instanceId ?? "";
  const isOther = instanceId !== "" && hello.instanceId !== "" && instanceId !== hello.instanceId;
  return isOther && !before.isStale;
}

function describeTwin({ state, peer }: FleetStream): string {
  const { nodeId, hostname } = state.hello!;
  return `node ${nodeId} is already connected from ${hostname} (${peer.address}); give each node a node_id and cache_dir of its own`;
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
