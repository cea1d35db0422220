import type { FleetEffect, FleetEvent, FleetOccurrence, FleetState, FleetTimer } from "../../src/sync/fleet-state.ts";
import { initialFleetState, isInSync } from "../../src/sync/fleet-state.ts";
import type { FromControlPlane, FromNode } from "../../src/sync/messages.ts";
import { SessionRunner } from "../../src/sync/session-runner.ts";
import type { Connection } from "./connection.ts";
import type { World } from "./world.ts";

const IDENTITY = { controlPlaneId: "cp", version: "1.4.0", rpcPrefixes: [], otherAddresses: () => [] };

/** A control plane that knows the versions up to `known` of the one durable log: all of them, or fewer when it was paused. */
export class SimulatedControlPlane {
  readonly #world: World;
  readonly #clockRate: number;
  readonly #streams = new Set<SimulatedStream>();
  readonly #byNode = new Map<string, SimulatedStream>();
  isUp = true;
  known = 0;

  constructor(world: World) {
    this.#world = world;
    this.#clockRate = world.random.between(0.7, 1.4);
  }

  /** Reads the log again and offers what is new in it. */
  refresh(): void {
    if (!this.isUp || this.known === this.#world.committed) return;
    this.known = this.#world.committed;
    for (const stream of [...this.#streams]) stream.publish(this.known);
  }

  /** Everything in memory is lost. */
  crash(): void {
    this.isUp = false;
    this.#world.tally.crashes += 1;
    for (const stream of [...this.#streams]) stream.die();
    this.#streams.clear();
    this.#byNode.clear();
    this.known = 0;
  }

  restart(): void {
    this.isUp = true;
    this.refresh();
  }

  accept(connectionOf: () => Connection): SimulatedStream {
    const stream = new SimulatedStream(this.#world, this.#clockRate, connectionOf, {
      newest: this.known,
      admitted: (nodeId) => {
        const before = this.#byNode.get(nodeId);
        this.#byNode.set(nodeId, stream);
        if (before !== stream) before?.replace();
      },
      gone: () => this.#streams.delete(stream),
    });
    this.#streams.add(stream);
    return stream;
  }

  /** Whether the newest stream of the node says that it is level. */
  seesInSync(nodeId: string): boolean {
    const stream = this.#byNode.get(nodeId);
    return stream?.isLevel === true;
  }
}

interface StreamPlace {
  readonly newest: number;
  admitted(nodeId: string): void;
  gone(): void;
}

export class SimulatedStream {
  readonly #world: World;
  readonly #clockRate: number;
  readonly #connectionOf: () => Connection;
  readonly #place: StreamPlace;
  readonly #runner: SessionRunner<FleetState, FleetEvent, FleetEffect>;
  readonly #timers = new Map<FleetTimer, object>();
  #sentIndex: number | undefined;
  #isDead = false;

  constructor(world: World, clockRate: number, connectionOf: () => Connection, place: StreamPlace) {
    this.#world = world;
    this.#clockRate = clockRate;
    this.#connectionOf = connectionOf;
    this.#place = place;
    const newest = place.newest === 0 ? undefined : world.publicationOf(place.newest);
    this.#runner = new SessionRunner(
      initialFleetState(newest, world.time.nowMs * clockRate),
      (state, event: FleetEvent) => world.protocol.stepFleet(IDENTITY, state, event),
      (effect) => this.#perform(effect),
    );
    this.#dispatch({ type: "opened" });
  }

  get isLevel(): boolean {
    const { state } = this.#runner;
    return state.phase === "live" && isInSync(state);
  }

  received(message: FromNode): void {
    this.#dispatch({ type: "received", message });
  }

  closed(): void {
    this.#dispatch({ type: "closed" });
    this.#place.gone();
  }

  publish(version: number): void {
    this.#dispatch({ type: "published", publication: this.#world.publicationOf(version) });
  }

  replace(): void {
    this.#dispatch({ type: "closed" });
    this.#place.gone();
    this.#connectionOf().closeByFleet();
  }

  /** With its process. */
  die(): void {
    this.#isDead = true;
    this.#connectionOf().closeByFleet();
  }

  #dispatch(event: FleetOccurrence): void {
    if (this.#isDead) return;
    const { time, random } = this.#world;
    this.#runner.dispatch({ ...event, atMs: time.nowMs * this.#clockRate, random: random.next() });
  }

  #perform(effect: FleetEffect): void {
    const { time, random } = this.#world;
    switch (effect.type) {
      case "authorise":
        this.#place.admitted(effect.hello.nodeId);
        this.#dispatch({ type: "authorised" });
        break;
      case "send":
        this.#send(effect.message);
        break;
      case "end":
        this.#place.gone();
        this.#connectionOf().closeByFleet();
        break;
      case "ask for turn":
        time.after(random.between(0, 200), () => this.#dispatch({ type: "turn" }));
        break;
      case "set timer":
        this.#setTimer(effect.timer, effect.delayMs);
        break;
      case "clear timer":
        this.#timers.delete(effect.timer);
        break;
      case "give up turn":
      case "report":
        break;
    }
  }

  #send(message: FromControlPlane): void {
    const { time, random, tally } = this.#world;
    const isResumed = message.type === "chunk" && message.index > 0 && this.#sentIndex === undefined;
    if (isResumed) tally.resumedTransfers += 1;
    if (message.type === "delta") tally.deltas += 1;
    if (message.type === "chunk") this.#sentIndex = message.index;
    this.#connectionOf().toNode(message);
    if (message.type !== "welcome") time.after(random.between(0, 20), () => this.#dispatch({ type: "sent" }));
  }

  #setTimer(timer: FleetTimer, delayMs: number): void {
    const token = {};
    this.#timers.set(timer, token);
    this.#world.time.after(delayMs / this.#clockRate, () => {
      if (this.#timers.get(timer) !== token) return;
      this.#timers.delete(timer);
      this.#dispatch({ type: "timer", timer });
    });
  }
}
