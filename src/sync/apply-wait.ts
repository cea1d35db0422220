import { isInSync } from "./fleet-state.ts";
import type { FleetStream } from "./fleet-stream.ts";

export interface NodeTime {
  readonly nodeId: string;
  /** From the publication of the newest version, or from the start of the wait when that was earlier. */
  readonly afterMs: number;
}

export interface MissingNode {
  readonly nodeId: string;
  /** `refused`: it answered with reasons. `left`: its stream ended. `pending`: it had not answered when time was up. */
  readonly why: "refused" | "left" | "pending";
  readonly detail: string;
}

export interface ApplyReport {
  readonly version: number;
  /** Whether every node that was connected has applied the version, or a later one. */
  readonly complete: boolean;
  readonly applied: readonly NodeTime[];
  readonly missing: readonly MissingNode[];
  readonly slowest: NodeTime | undefined;
  /** When half of those that applied it had done so, and 99 of 100. */
  readonly medianMs: number | undefined;
  readonly p99Ms: number | undefined;
}

/** One wait for a version to run everywhere. Ends when each node has applied it, refused it or left, or when time is up. */
export class ApplyWait {
  readonly #version: number;
  readonly #startMs: number;
  readonly #finish: (report: ApplyReport) => void;
  readonly #pending = new Map<string, FleetStream>();
  readonly #applied: NodeTime[] = [];
  readonly #missing: MissingNode[] = [];

  /** @param startMs what the times of the report are counted from, on the monotonic clock */
  constructor(version: number, streams: Iterable<FleetStream>, startMs: number, finish: (report: ApplyReport) => void) {
    this.#version = version;
    this.#startMs = startMs;
    this.#finish = finish;
    for (const stream of streams) this.#pending.set(stream.state.hello?.nodeId ?? "", stream);
  }

  /** Looks at every node once; later looks are at the node that has news. */
  begin(nowMs: number): void {
    if (this.#pending.size === 0) this.#end();
    for (const stream of [...this.#pending.values()]) this.look(stream, nowMs);
  }

  look(stream: FleetStream, nowMs: number): void {
    const nodeId = stream.state.hello?.nodeId ?? "";
    if (!this.#pending.has(nodeId)) return;
    const { lastNack, obstacle, newest } = stream.state;
    if (this.#hasApplied(stream)) this.#applied.push({ nodeId, afterMs: Math.max(0, nowMs - this.#startMs) });
    else if (!stream.isOpen) this.#missing.push({ nodeId, why: "left", detail: "its connection ended" });
    else if (obstacle !== "" && (newest?.stamp.version ?? 0) >= this.#version)
      this.#missing.push({ nodeId, why: "refused", detail: obstacle });
    else if (lastNack !== undefined && lastNack.version >= this.#version) {
      const problem = lastNack.problems[0]?.message ?? "";
      this.#missing.push({ nodeId, why: "refused", detail: `${lastNack.reason} ${problem}`.trim() });
    } else return;
    this.#pending.delete(nodeId);
    if (this.#pending.size === 0) this.#end();
  }

  /** Time is up. */
  expire(): void {
    for (const nodeId of this.#pending.keys())
      this.#missing.push({ nodeId, why: "pending", detail: "no answer in time" });
    this.#pending.clear();
    this.#end();
  }

  #hasApplied({ state, isOpen }: FleetStream): boolean {
    if (!isOpen || state.newest === undefined) return false;
    if (state.newest.stamp.version < this.#version) return false;
    if (isInSync(state)) return true;
    const { running, newest } = state;
    return running?.epoch === newest.stamp.epoch && running.version >= this.#version;
  }

  #end(): void {
    const applied = this.#applied.toSorted((one, other) => one.afterMs - other.afterMs);
    this.#finish({
      version: this.#version,
      complete: this.#missing.length === 0,
      applied,
      missing: this.#missing,
      slowest: applied.at(-1),
      medianMs: applied[Math.ceil(applied.length * 0.5) - 1]?.afterMs,
      p99Ms: applied[Math.ceil(applied.length * 0.99) - 1]?.afterMs,
    });
  }
}
