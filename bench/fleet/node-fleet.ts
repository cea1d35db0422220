import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import type { Question } from "./node-process.ts";
import type { NodesStanding, SimulatedNodeOptions, SimulatedNodesOptions } from "./simulated-nodes.ts";

const PROGRAM = new URL("node-process.ts", import.meta.url);

/** Simulated nodes, spread over a few processes. */
export class NodeFleet implements AsyncDisposable {
  readonly count: number;
  readonly #processes: readonly NodeProcess[];
  readonly #options: SimulatedNodesOptions;
  readonly #steadyCount: number;

  /** @param steadyShare of the nodes that is connected at any moment: less than 1 where the network cuts connections */
  constructor(options: SimulatedNodesOptions, processes: number, steadyShare = 1) {
    this.count = options.nodes.length;
    this.#steadyCount = Math.floor(this.count * steadyShare);
    this.#options = options;
    this.#processes = Array.from({ length: Math.min(processes, this.count) }, () => new NodeProcess());
  }

  /** All nodes at once; it does not wait for connections. */
  async start(): Promise<void> {
    const shares: SimulatedNodeOptions[][] = this.#processes.map(() => []);
    for (const [index, node] of this.#options.nodes.entries()) shares[index % shares.length]!.push(node);
    await this.#askAll((index) => ({ ask: "start", options: { ...this.#options, nodes: shares[index]! } }));
  }

  /** Of all nodes together. */
  async standing(): Promise<NodesStanding> {
    const parts = (await this.#askAll(() => ({ ask: "standing" }))) as NodesStanding[];
    const sum = (of: (part: NodesStanding) => number) => parts.reduce((total, part) => total + of(part), 0);
    return {
      connected: sum(({ connected }) => connected),
      byVersion: merge(parts.map(({ byVersion }) => byVersion)),
      configurationMessages: sum(({ configurationMessages }) => configurationMessages),
      bytes: sum(({ bytes }) => bytes),
      cpuMs: sum(({ cpuMs }) => cpuMs),
      failures: merge(parts.map(({ failures }) => failures)),
    };
  }

  /** Whether all nodes, or as many as are connected at any moment, are connected and run the version. */
  async areAllAt(version: number): Promise<boolean> {
    return ((await this.standing()).byVersion.get(version) ?? 0) >= this.#steadyCount;
  }

  /** When each node that has applied the version had done so first; milliseconds since 1970. */
  async arrivals(version: number): Promise<readonly number[]> {
    return ((await this.#askAll(() => ({ ask: "arrivals", version }))) as number[][]).flat();
  }

  /** Breaks all connections at one moment. */
  async cut(): Promise<void> {
    await this.#askAll(() => ({ ask: "cut" }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#askAll(() => ({ ask: "stop" })).catch(() => {});
    for (const each of this.#processes) each.end();
  }

  #askAll(question: (index: number) => Question): Promise<unknown[]> {
    return Promise.all(this.#processes.map((each, index) => each.ask(question(index))));
  }
}

/** Answers one question after the other. */
class NodeProcess {
  readonly #child: ChildProcess = fork(PROGRAM, { serialization: "advanced" });
  #turn: Promise<unknown> = Promise.resolve();

  ask(question: Question): Promise<unknown> {
    const answered = this.#turn.then(() => this.#ask(question));
    this.#turn = answered.catch(() => {});
    return answered;
  }

  end(): void {
    if (this.#child.connected) this.#child.disconnect();
  }

  async #ask(question: Question): Promise<unknown> {
    const gone = new AbortController();
    const exited = once(this.#child, "exit", { signal: gone.signal }).then(() => {
      throw new Error("a process of simulated nodes ended");
    });
    try {
      const answered = once(this.#child, "message", { signal: gone.signal });
      this.#child.send(question);
      const [{ value, error }] = (await Promise.race([answered, exited])) as [{ value?: unknown; error?: string }];
      if (error !== undefined) throw new Error(error);
      return value;
    } finally {
      gone.abort();
      exited.catch(() => {});
    }
  }
}

function merge<Key>(all: readonly ReadonlyMap<Key, number>[]): Map<Key, number> {
  const merged = new Map<Key, number>();
  for (const [key, count] of all.flatMap((counts) => [...counts])) merged.set(key, (merged.get(key) ?? 0) + count);
  return merged;
}
