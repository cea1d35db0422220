import type { Report } from "../worker/worker-protocol.ts";

/** One thing that plugins counted since the last report. */
export interface EventCount {
  readonly plugin: string;
  readonly place: string;
  readonly event: string;
  amount: number;
}

/** Different events that are counted; a plugin that makes up names without end counts no more of them. */
const MAX_EVENTS = 10_000;

/** Gathers what plugins count, and reports it to the supervisor now and then. */
export class EventCounts {
  readonly #counts = new Map<string, EventCount>();
  readonly #post: (report: Extract<Report, { type: "events" }>) => void;

  constructor(post: (report: Extract<Report, { type: "events" }>) => void) {
    this.#post = post;
  }

  /** What counts the events of a plugin in one place. */
  of(plugin: string, place: string): (event: string, amount?: number) => void {
    const own = new Map<string, EventCount>();
    return (event, amount = 1) => {
      const count = own.get(event) ?? this.#countOf(plugin, place, event);
      if (count === undefined) return;
      own.set(event, count);
      count.amount += amount;
    };
  }

  #countOf(plugin: string, place: string, event: string): EventCount | undefined {
    const key = `${plugin}\n${place}\n${event}`;
    const count = this.#counts.get(key);
    if (count !== undefined || this.#counts.size >= MAX_EVENTS) return count;
    const first = { plugin, place, event, amount: 0 };
    this.#counts.set(key, first);
    return first;
  }

  /** What came since the last flush. */
  flush(): void {
    const counts = [...this.#counts.values()].filter(({ amount }) => amount > 0);
    if (counts.length === 0) return;
    this.#post({ type: "events", counts: counts.map((count) => ({ ...count })) });
    for (const count of counts) count.amount = 0;
  }
}

/** What all workers have reported. */
export class EventTotals {
  readonly #totals = new Map<string, EventCount>();

  add(counts: readonly EventCount[]): void {
    for (const count of counts) {
      const key = `${count.plugin}\n${count.place}\n${count.event}`;
      const total = this.#totals.get(key);
      if (total !== undefined) total.amount += count.amount;
      else if (this.#totals.size < MAX_EVENTS) this.#totals.set(key, { ...count });
    }
  }

  values(): Iterable<EventCount> {
    return this.#totals.values();
  }
}
