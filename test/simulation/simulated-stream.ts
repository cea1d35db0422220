import {
  type FleetEffect,
  type FleetEvent,
  type FleetOccurrence,
  type FleetState,
  type FleetTimer,
  initialFleetState,
  isInSync,
} from "../../src/sync/fleet-state.ts";
import type { FromControlPlane, FromNode, Hello } from "../../src/sync/messages.ts";
import type { Publication } from "../../src/sync/publication.ts";
import { SessionRunner } from "../../src/sync/session-runner.ts";
import type { Connection, End } from "./connection.ts";
import { Violation, type World } from "./world.ts";

const IDENTITY = {
  ...{ controlPlaneId: "cp", version: "1.4.0", rpcPrefixes: [], otherAddresses: () => [] },
  compatibility: "minor" as const,
  behindLimitMs: 60_000,
};

/** What a stream is told by its control plane. */
interface StreamPlace {
  readonly newest: Publication | undefined;
  /** As the program of the node knows it. */
  newestFor(hello: Hello): Publication | undefined;
  pausedUntilMs(): number;
  /** When the node is to come back instead of being let in; undefined when it is let in. */
  deferral(hello: Hello): number | undefined;
  admitted(nodeId: string): void;
  gone(): void;
}

/** The control plane's end of one stream. */
export class SimulatedStream implements End<FromNode> {
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
    this.#runner = new SessionRunner(
      initialFleetState(place.newest, world.time.nowMs * clockRate),
      (state, event: FleetEvent) => world.protocol.stepFleet(IDENTITY, state, event),
      (effect) => this.#perform(effect),
    );
    this.#dispatch({ type: "opened" });
  }

  /** What the node said of itself; undefined until it has. */
  get hello(): Hello | undefined {
    return this.#runner.state.hello;
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

  publish(publication: Publication): void {
    this.#dispatch({ type: "published", publication });
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

  /** What happens while the control plane is paused happens when it goes on. */
  #dispatch(event: FleetOccurrence): void {
    if (this.#isDead) return;
    const { time, random } = this.#world;
    const pausedUntilMs = this.#place.pausedUntilMs();
    if (time.nowMs < pausedUntilMs) time.at(pausedUntilMs, () => this.#dispatch(event));
    else this.#runner.dispatch({ ...event, atMs: time.nowMs * this.#clockRate, random: random.next() });
  }

  #perform(effect: FleetEffect): void {
    const { time, random } = this.#world;
    switch (effect.type) {
      case "authorise":
        this.#authorise(effect.hello);
        break;
      case "send":
        this.#send(effect.message);
        break;
      case "end":
        this.#place.gone();
        this.#connectionOf().closeByFleet(effect.comeBackAfterMs);
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
      case "announce":
        this.#world.tally.withheld += 1;
        break;
      case "give up turn":
      case "rpc":
      case "report":
        break;
    }
  }

  #authorise(hello: Hello): void {
    const comeBackAfterMs = this.#place.deferral(hello);
    if (comeBackAfterMs !== undefined) {
      this.#dispatch({ type: "forbidden", kind: "overloaded", detail: "too many wait", comeBackAfterMs });
      return;
    }
    this.#place.admitted(hello.nodeId);
    this.#dispatch({ type: "authorised", newest: this.#place.newestFor(hello) });
  }

  #send(message: FromControlPlane): void {
    const { time, random, tally } = this.#world;
    const isResumed = message.type === "chunk" && message.index > 0 && this.#sentIndex === undefined;
    if (isResumed) tally.resumedTransfers += 1;
    if (message.type === "delta") tally.deltas += 1;
    if (message.type === "delta" || (message.type === "chunk" && (message.index === 0 || isResumed)))
      this.#checkOffer(message.stamp.version);
    if (message.type === "chunk") this.#sentIndex = message.index;
    this.#connectionOf().toNode(message);
    if (message.type !== "welcome") time.after(random.between(0, 20), () => this.#dispatch({ type: "sent" }));
  }

  /** A control plane that was paused, or does not know the newest yet, leaves alone whoever knows more. */
  #checkOffer(version: number): void {
    const runs = this.#runner.state.running?.version ?? 0;
    if (version < runs) throw new Violation(`version ${version} is offered to a node that said it runs ${runs}`);
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
