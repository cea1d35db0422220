import type { Configuration } from "../../config/configuration.ts";
import type { SharedUpstream, SharedUpstreams } from "../upstream/health/shared-upstream.ts";
import { retryKey, routeKey, upstreamKey } from "../upstream/upstream-settings.ts";
import type { Plan, PlanChange } from "./plan.ts";
import type { WorkerThread } from "./worker-thread.ts";

export interface PhaseDurations {
  readonly compileMs: number;
  readonly listenMs: number;
}

type TableContent = Pick<Configuration, "upstreams" | "routes">;

/** Resources sent at a time: a slice is taken in by a worker within a millisecond or so, between two turns of its loop. */
const SLICE = 64;
/** The same while it serves nobody yet, who could be kept waiting. */
const FIRST_SLICE = 1_024;

/** Brings plans to a thread, piece by piece. Answers how long they took there, by phase. */
export class PlanTransfer {
  readonly #thread: WorkerThread;
  readonly #slotOf: (route: string) => number;
  #slice = FIRST_SLICE;

  /** @param slotOf where a route is counted */
  constructor(thread: WorkerThread, slotOf: (route: string) => number) {
    this.#thread = thread;
    this.#slotOf = slotOf;
  }

  async send(plan: Plan): Promise<PhaseDurations> {
    const { settings, consumers, plugins, owned } = plan.configuration;
    const { listeners, tls } = plan;
    let compileMs = await this.#thread.call({ type: "begin", settings, listeners, tls, plugins: { plugins, owned } });
    for (const slice of this.#slices(consumers))
      compileMs += await this.#thread.call({ type: "consumers", consumers: slice });
    compileMs += await this.#sendTable(plan.configuration, plan.shared);
    const listenMs = await this.#thread.call({ type: "listen" });
    return { compileMs, listenMs };
  }

  async sendChange({ from, to, change }: PlanChange): Promise<PhaseDurations> {
    const { removedUpstreams, removedRoutes } = change;
    const doors = from.listeners === to.listeners ? undefined : { listeners: to.listeners, tls: to.tls };
    let compileMs = await this.#thread.call({ type: "change", doors });
    compileMs += await this.#sendTable(change, to.shared);
    if (removedUpstreams.length + removedRoutes.length > 0)
      compileMs += await this.#thread.call({ type: "remove", upstreams: removedUpstreams, routes: removedRoutes });
    const listenMs = doors === undefined ? 0 : await this.#thread.call({ type: "listen" });
    return { compileMs, listenMs };
  }

  /** From now on it serves what was sent. */
  commit(): Promise<number> {
    this.#slice = SLICE;
    return this.#thread.call({ type: "commit" });
  }

  async #sendTable({ upstreams, routes }: TableContent, shared: SharedUpstreams): Promise<number> {
    let compileMs = 0;
    for (const slice of this.#slices(upstreams)) {
      const known = sharedBy(slice.map(upstreamKey), shared);
      compileMs += await this.#thread.call({ type: "upstreams", upstreams: slice, shared: known });
    }
    for (const slice of this.#slices(routes)) {
      const slots = slice.map(({ id }) => this.#slotOf(id));
      const known = sharedBy([...slice.map(routeKey), ...slice.map(retryKey)], shared);
      compileMs += await this.#thread.call({ type: "routes", routes: slice, slots, shared: known });
    }
    return compileMs;
  }

  *#slices<Item>(items: readonly Item[]): Generator<Item[]> {
    for (let at = 0; at < items.length; at += this.#slice) yield items.slice(at, at + this.#slice);
  }
}

/** Those of these owners. */
function sharedBy(keys: readonly string[], shared: SharedUpstreams): SharedUpstreams {
  const some = new Map<string, SharedUpstream>();
  if (shared.size === 0) return some;
  for (const key of keys) {
    const one = shared.get(key);
    if (one !== undefined) some.set(key, one);
  }
  return some;
}
