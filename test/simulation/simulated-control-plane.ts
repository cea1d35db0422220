import { DeltaHistory } from "../../src/sync/delta-history.ts";
import type { Hello } from "../../src/sync/messages.ts";
import type { Publication } from "../../src/sync/publication.ts";
import type { Connection } from "./connection.ts";
import { SimulatedStream } from "./simulated-stream.ts";
import { EDITIONS, type Program, type World } from "./world.ts";

/** Knows the versions up to `known` of the one durable log that it shares with another: all of them, or fewer for a while. */
export class SimulatedControlPlane {
  readonly #world: World;
  readonly #clockRate: number;
  readonly #streams = new Set<SimulatedStream>();
  readonly #byNode = new Map<string, SimulatedStream>();
  #histories = newHistories();
  /** As each program is given it. */
  #newest: Readonly<Record<Program, Publication>> | undefined;
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
    const publicationFor = (program: Program) =>
      this.#world.publicationOf(committed, program, this.#histories[program]);
    this.#newest = { newest: publicationFor("newest"), older: publicationFor("older") };
    for (const stream of [...this.#streams]) stream.publish(this.#newest[programOf(stream.hello)]);
  }

  /** Everything in memory is lost. */
  crash(): void {
    this.isUp = false;
    this.#world.tally.crashes += 1;
    for (const stream of [...this.#streams]) stream.die();
    this.#streams.clear();
    this.#byNode.clear();
    this.#histories = newHistories();
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
      newest: this.#newest?.newest,
      newestFor: (hello) => this.#newest?.[programOf(hello)],
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
    for (const program of PROGRAMS) {
      const { snapshots, deltas } = EDITIONS[program];
      const [base, target] = [snapshots[this.known]!, snapshots[committed]!];
      this.#histories[program].record({ base, target, delta: deltas[this.known]![committed]! });
    }
  }
}

const PROGRAMS = ["newest", "older"] as const;

function newHistories(): Record<Program, DeltaHistory> {
  return { newest: new DeltaHistory(), older: new DeltaHistory() };
}

/** Whoever has not said what it is, is taken for one that knows everything. */
function programOf(hello: Hello | undefined): Program {
  return hello?.version.startsWith("1.3.") ? "older" : "newest";
}
