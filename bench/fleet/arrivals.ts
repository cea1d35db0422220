/** When which version had been applied by which node. */
export class Arrivals {
  readonly #timesMs = new Map<number, Map<string, number>>();

  /** A version that a node is given once more has arrived when it came first. */
  record(version: number, nodeId: string, atMs = sharedClockMs()): void {
    const times = this.#timesMs.get(version) ?? new Map<string, number>();
    this.#timesMs.set(version, times);
    if (!times.has(nodeId)) times.set(nodeId, atMs);
  }

  /** One entry for each node that has applied the version. */
  of(version: number): readonly number[] {
    return [...(this.#timesMs.get(version)?.values() ?? [])];
  }
}

/** Milliseconds since 1970 with fractions: comparable with the timestamps of other processes of this machine. */
export function sharedClockMs(): number {
  return performance.timeOrigin + performance.now();
}
