import type { Snapshot } from "../../src/config/snapshot.ts";
import type { FromControlPlane } from "../../src/sync/messages.ts";
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
} from "../../src/sync/node-state.ts";
import { SessionRunner } from "../../src/sync/session-runner.ts";
import { STATUS } from "../../src/sync/testing/messages.ts";
import { Connection, type End } from "./connection.ts";
import type { SimulatedControlPlane } from "./simulated-control-plane.ts";
import { MAX_FAILURES, SimulatedDisk } from "./simulated-disk.ts";
import { type Program, Violation, type World } from "./world.ts";

/** How long a process has to live with a configuration for that to be trusted. Shorter than in life, as schedules are. */
const SURVIVAL_MS = 15_000;

/** A data plane: its disk outlives its processes. */
export class SimulatedNode {
  readonly nodeId: string;
  readonly program: Program;
  readonly #world: World;
  readonly #controlPlanes: ReadonlyMap<string, SimulatedControlPlane>;
  #lives = 0;
  #process: NodeProcess | undefined;
  readonly #disk = new SimulatedDisk();
  /** The version that runs here, or ran last. */
  #highest = 0;
  /** By version: how often in a row it brought the process down. */
  readonly #deaths = new Map<number, number>();
  /** By control plane: not before when it wants to see this node again. */
  readonly #askedUntilMs = new Map<string, number>();

  constructor(
    nodeId: string,
    program: Program,
    world: World,
    controlPlanes: ReadonlyMap<string, SimulatedControlPlane>,
  ) {
    this.nodeId = nodeId;
    this.program = program;
    this.#world = world;
    this.#controlPlanes = controlPlanes;
  }

  start(): void {
    if (this.#process !== undefined) return;
    this.#lives += 1;
    this.#askedUntilMs.clear();
    const { tally, protocol, time } = this.#world;
    const running = this.#disk.start(time.nowMs, protocol.chooseGeneration);
    if (running !== this.#disk.newest) tally.passedOver += 1;
    this.#highest = running?.version ?? 0;
    this.#process = new NodeProcess(this, this.#world, this.#controlPlanes, `${this.nodeId}-${this.#lives}`, running);
    this.#process.start();
    if (running !== undefined) this.#live(running);
  }

  crash(): void {
    this.#world.tally.crashes += 1;
    this.#process?.die();
    this.#process = undefined;
  }

  /** A person does not believe it. */
  resync(): void {
    this.#process?.resync();
  }

  /** To the disk first, then into the workers: the order of the real sink. */
  keepAndRun(snapshot: Snapshot): void {
    this.#world.checkState(snapshot, this.program);
    if (snapshot.version < this.#highest)
      throw new Violation(`${this.nodeId} went from version ${this.#highest} back to ${snapshot.version}`);
    this.#deaths.delete(this.#highest);
    this.#highest = snapshot.version;
    this.#disk.save(snapshot, this.#world.time.nowMs);
    this.#live(snapshot);
  }

  /** It brought the process down again and again. */
  refuses(snapshot: Snapshot): boolean {
    return this.#world.protocol.remembersDeaths && this.#disk.hasSetAside(snapshot, this.#world.time.nowMs);
  }

  /** A configuration begins to run: it brings the process down, or proves itself. */
  #live({ version }: Snapshot): void {
    const { time, random, poisonous, tally } = this.#world;
    const process = this.#process;
    if (poisonous.has(version))
      time.after(random.between(1, 60), () => {
        if (this.#process !== process || process === undefined) return;
        tally.poisonings += 1;
        this.#countDeath(version);
        this.crash();
        time.after(random.between(0, 2_000), () => this.start());
      });
    time.after(SURVIVAL_MS, () => {
      if (this.#process === process && this.#highest === version) this.#disk.markSurvived(version);
    });
  }

  /** One by what does not run any more is blamed on what does. */
  #countDeath(version: number): void {
    if (this.#highest !== version) return;
    const deaths = (this.#deaths.get(version) ?? 0) + 1;
    this.#deaths.set(version, deaths);
    if (deaths > MAX_FAILURES)
      throw new Violation(`version ${version} brings ${this.nodeId} down for the ${deaths}th time`);
  }

  asked(address: string, comeBackAfterMs: number): void {
    // Clocks of nodes go up to 1.4 times as fast as they should.
    this.#askedUntilMs.set(address, this.#world.time.nowMs + comeBackAfterMs / 1.4);
  }

  /** It may, once it was let in anywhere. */
  welcomed(): void {
    this.#askedUntilMs.clear();
  }

  turnsTo(address: string): void {
    const earlyMs = (this.#askedUntilMs.get(address) ?? 0) - this.#world.time.nowMs;
    if (earlyMs > 1)
      throw new Violation(`${this.nodeId} comes back to ${address} ${earlyMs} ms before it was asked to`);
  }

  runs(version: number): boolean {
    const running = this.#process?.state.running;
    return running?.version === version && this.#disk.newest?.version === version;
  }
}

class NodeProcess {
  readonly #node: SimulatedNode;
  readonly #world: World;
  readonly #controlPlanes: ReadonlyMap<string, SimulatedControlPlane>;
  readonly #clockRate: number;
  readonly #runner: SessionRunner<NodeState, NodeEvent, NodeEffect>;
  readonly #timers = new Map<NodeTimer, object>();
  #connection: Connection | undefined;
  /** The control plane that it turned to last. */
  #address: string | undefined;
  #running: Snapshot | undefined;
  #isDead = false;

  constructor(
    node: SimulatedNode,
    world: World,
    controlPlanes: ReadonlyMap<string, SimulatedControlPlane>,
    instanceId: string,
    running: Snapshot | undefined,
  ) {
    this.#node = node;
    this.#world = world;
    this.#controlPlanes = controlPlanes;
    this.#clockRate = world.random.between(0.7, 1.4);
    this.#running = running;
    const identity: NodeIdentity = {
      nodeId: node.nodeId,
      version: node.program === "older" ? "1.3.9" : "1.4.1",
      hostname: "h",
      labels: {},
      plugins: {},
      instanceId,
      addresses: [...controlPlanes.keys()],
      heartbeatIntervalMs: 8_000,
      retryIntervalMs: 1_000,
      encodings: ["json"],
      takesDeltas: world.random.between(0, 1) < 0.8,
      rpcPrefixes: [],
    };
    this.#runner = new SessionRunner(
      initialNodeState(running),
      (state, event: NodeEvent) => world.protocol.stepNode(identity, state, event),
      (effect) => this.#perform(effect),
    );
  }

  get state(): NodeState {
    return this.#runner.state;
  }

  start(): void {
    this.#dispatch({ type: "start" });
  }

  resync(): void {
    this.#dispatch({ type: "resync" });
  }

  die(): void {
    this.#isDead = true;
    this.#connection?.closeByNode();
  }

  #dispatch(event: NodeOccurrence): void {
    if (this.#isDead) return;
    const { time, random } = this.#world;
    this.#runner.dispatch({ ...event, atMs: time.nowMs * this.#clockRate, random: random.next() });
    const { running } = this.state;
    if (running?.version !== this.#running?.version || running?.hash !== this.#running?.hash)
      throw new Violation(`${this.#node.nodeId} says that it runs what was never applied`);
  }

  #perform(effect: NodeEffect): void {
    switch (effect.type) {
      case "connect":
        this.#connect(effect.address);
        break;
      case "disconnect":
        this.#connection?.closeByNode();
        this.#connection = undefined;
        break;
      case "send":
        this.#count(effect);
        this.#connection?.toFleet(effect.message);
        break;
      case "send heartbeat": {
        const { nodeId } = this.#node;
        this.#connection?.toFleet({ type: "heartbeat", nodeId, running: effect.running, status: STATUS, sentAtMs: 0 });
        break;
      }
      case "apply":
        this.#apply(effect.incoming);
        break;
      case "set timer":
        this.#setTimer(effect.timer, effect.delayMs);
        break;
      case "clear timer":
        this.#timers.delete(effect.timer);
        break;
    }
  }

  #count({ message }: NodeEffect & { type: "send" }): void {
    const { tally } = this.#world;
    if (message.type === "ack" && (message.version !== this.#running?.version || message.hash !== this.#running.hash))
      throw new Violation(`${this.#node.nodeId} acknowledges what it does not run`);
    if (message.type !== "nack") return;
    tally.refusals += 1;
    if (message.reason === "RW_STALE_VERSION") tally.staleOffers += 1;
    if (message.reason === "RW_INTEGRITY_MISMATCH") tally.integrityRefusals += 1;
    if (message.reason === "RW_DELTA_MISMATCH") tally.deltaRefusals += 1;
  }

  #connect(address: string): void {
    const { random, time, tally } = this.#world;
    const controlPlane = this.#controlPlanes.get(address)!;
    this.#node.turnsTo(address);
    if (this.#address !== undefined && this.#address !== address) tally.moves += 1;
    this.#address = address;
    time.after(random.between(1, 100), () => {
      if (this.#isDead) return;
      if (!controlPlane.isUp || this.#world.fault(0.1)) this.#dispatch({ type: "closed", reason: "refused" });
      else this.#opened(controlPlane);
    });
  }

  #opened(controlPlane: SimulatedControlPlane): void {
    const stream = controlPlane.accept(() => connection);
    const end: End<FromControlPlane> = {
      received: (message) => {
        if (this.#connection !== connection) return;
        if (message.type === "welcome") this.#node.welcomed();
        this.#dispatch({ type: "received", message });
      },
      closed: (comeBackAfterMs) => {
        if (this.#connection !== connection) return;
        this.#connection = undefined;
        if (comeBackAfterMs !== undefined) this.#node.asked(this.#address!, comeBackAfterMs);
        this.#dispatch({ type: "closed", reason: "cut", comeBackAfterMs });
      },
    };
    const transport = this.#world.random.chance(0.5) ? "grpc" : "websocket";
    const connection: Connection = new Connection(this.#world, transport, end, stream);
    this.#connection = connection;
    this.#dispatch({ type: "opened" });
  }

  #apply(incoming: Incoming): void {
    const { random, time } = this.#world;
    const slow = this.#world.fault(0.4);
    time.after(slow ? random.between(0, 25_000) : random.between(1, 50), () => {
      if (!this.#isDead) this.#dispatch({ type: "applied", outcome: this.#outcomeOf(incoming) });
    });
  }

  #outcomeOf(incoming: Incoming): ApplyOutcome {
    if (incoming.kind !== "snapshot") throw new Violation("a control plane of ours sent an original configuration");
    const { snapshot } = incoming;
    const refusal = this.#world.invalid.has(snapshot.version) ? "is not valid" : this.#world.fault(0.2) && "port taken";
    if (refusal || this.#node.refuses(snapshot))
      return {
        ok: false,
        reason: "RW_CONFIGURATION_REFUSED",
        problems: [{ path: "", message: refusal || "set aside" }],
      };
    this.#node.keepAndRun(snapshot);
    this.#running = snapshot;
    this.#world.tally.applies += 1;
    return { ok: true, stateHash: snapshot.hash, durationsMs: {} };
  }

  #setTimer(timer: NodeTimer, delayMs: number): void {
    const token = {};
    this.#timers.set(timer, token);
    this.#world.time.after(delayMs / this.#clockRate, () => {
      if (this.#timers.get(timer) !== token) return;
      this.#timers.delete(timer);
      this.#dispatch({ type: "timer", timer });
    });
  }
}
