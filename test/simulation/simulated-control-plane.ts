import { DeltaHistory } from "../../src/sync/delta-history.ts";
import type { Hello } from "../../src/sync/messages.ts";
import type { Publication } from "../../src/sync/publication.ts";
import type { Connection } from "./connection.ts";
import { SimulatedStream } from "./simulated-stream.ts";
import { DELTAS, SNAPSHOTS, type World } from "./world.ts";

/** Knows the versions up to `known` of the one durable log that it shares with another: all of them, or fewer for a while. */
export class SimulatedControlPlane {
  readonly #world: World;
  readonly #clockRate: number;
  readonly #streams = new Set<SimulatedStream>();
  readonly #byNode = new Map<string, SimulatedStream>();
  #history = new DeltaHistory();
  #newest: Publication | undefined;
  isUp = true;
  /** It does nothing until then, as a process that was stopped: what comes meanwhile waits. */
  pausedUntilMs = 0;
  known = 0;

  constructor(world: World) {
    this.#world = world;
    this.#clockRate = world.random.between(0.7, 1.4);
  }

  get isPaused(): boolean {
    return this.#world.time.nowMs < this.pausedUntilMs;
  }

  /** Reads the log again and offers what is new in it. */
  refresh(): void {
    const { committed, protocol } = this.#world;
    if (!this.isUp || this.isPaused || this.known === committed) return;
    if (this.known > 0 && !protocol.followsLog) return;
    this.#record(committed);
    this.known = committed;
    this.#newest = this.#world.publicationOf(committed, this.#history);
    for (const stream of [...this.#streams]) stream.publish(this.#newest);
  }

  /** Everything in memory is lost. */
  crash(): void {
    this.isUp = false;
    this.#world.tally.crashes += 1;
    for (const stream of [...this.#streams]) stream.die();
    this.#streams.clear();
    this.#byNode.clear();
    this.#history = new DeltaHistory();
    this.#newest = undefined;
    this.known = 0;
  }

  restart(): void {
    this.isUp = true;
    this.refresh();
  }

  pause(forMs: number): void {
    this.pausedUntilMs = this.#world.time.nowMs + forMs;
    this.#world.time.at(this.pausedUntilMs, () => this.refresh());
  }

  accept(connectionOf: () => Connection): SimulatedStream {
    const stream: SimulatedStream = new SimulatedStream(this.#world, this.#clockRate, connectionOf, {
      newest: this.#newest,
      pausedUntilMs: () => this.pausedUntilMs,
      deferral: (hello) => this.#deferral(hello),
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

  /** Now and then too many wait, and a node that is not level is told when to come back. */
  #deferral({ running }: Hello): number | undefined {
    if (running?.version === this.known || !this.#world.fault(0.15)) return undefined;
    this.#world.tally.deferrals += 1;
    return this.#world.random.between(500, 8_000);
  }

  /** Not each version is seen by itself: what was committed meanwhile is one step. */
  #record(committed: number): void {
    if (this.known === 0) return;
    const [base, target] = [SNAPSHOTS[this.known]!, SNAPSHOTS[committed]!];
    this.#history.record({ base, target, delta: DELTAS[this.known]![committed]! });
  }
}
