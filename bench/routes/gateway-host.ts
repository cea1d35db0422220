/**
 * A gateway of one worker with a table of routes, as a process to be measured: it changes the table when it is told to, by the way
 * that a data plane takes, and says what each change took.
 */
import { setTimeout as delay } from "node:timers/promises";
import { ReloadHistory } from "../../src/admin/reload-history.ts";
import { Gateway } from "../../src/app/node/gateway.ts";
import { NodeSink } from "../../src/app/node/node-sink.ts";
import { Survival } from "../../src/app/node/survival.ts";
import type { Delta } from "../../src/config/delta.ts";
import { Language } from "../../src/config/language.ts";
import { EMPTY_OVERLAY } from "../../src/config/overlay.ts";
import { changeSnapshot, createSnapshot, type Snapshot } from "../../src/config/snapshot.ts";
import { systemClock as clock } from "../../src/core/clock.ts";
import { silentLogger as logger, silentMeter as meter } from "../../src/core/ports.ts";
import { Supervisor } from "../../src/proxy/supervisor.ts";
import { NodeCache } from "../../src/sync/node-cache.ts";
import { freePort } from "../../test/support/free-port.ts";
import { TemporaryFolder } from "../temporary-folder.ts";
import { route, tableState } from "./table-state.ts";

/** What one change took. */
export interface ChangeTimes {
  readonly kind: "add" | "change" | "remove";
  readonly totalMs: number;
  /** Time of the processor that the thread used which supervises the workers, with keeping the change on disk. */
  readonly supervisorCpuMs: number;
  readonly validateMs: number;
  readonly persistMs: number;
  /** In the worker, while no request is served there. */
  readonly compileMs: number;
  readonly swapMs: number;
}

export type HostRequest = { readonly count: number; readonly pauseMs: number };
export type HostReport =
  | { readonly type: "ready"; readonly port: number; readonly loadMs: number; readonly memoryBytes: number }
  | { readonly type: "changed"; readonly changes: readonly ChangeTimes[] };

const KINDS = ["add", "change", "remove"] as const;

class Host {
  readonly #gateway: Gateway;
  readonly #cache: NodeCache;
  readonly #sink: NodeSink;
  #running: Snapshot;

  constructor(running: Snapshot, directory: string) {
    this.#running = running;
    const language = new Language([]);
    this.#gateway = new Gateway({
      language,
      supervisor: new Supervisor({ workers: 1, logger, meter, clock }),
      overlay: EMPTY_OVERLAY,
      resolveSecret: () => ({ ok: false, message: "there are no secrets here" }),
      onApplied: () => {},
      logger,
      clock,
    });
    this.#cache = new NodeCache({ language, directory, clock, logger });
    const survival = new Survival(this.#cache, clock);
    const history = new ReloadHistory();
    this.#sink = new NodeSink(
      { language, gateway: this.#gateway, cache: this.#cache, survival, history, clock, logger },
      [],
    );
  }

  /** Answers how long the whole took. */
  async start(): Promise<number> {
    await this.#gateway.start();
    await this.#cache.open();
    const startMs = performance.now();
    await this.#apply(this.#running);
    return performance.now() - startMs;
  }

  async change({ count, pauseMs }: HostRequest): Promise<ChangeTimes[]> {
    const changes: ChangeTimes[] = [];
    for (let n = 0; n < count; n++) {
      changes.push(await this.#step(KINDS[n % KINDS.length]!, n));
      if (pauseMs > 0) await delay(pauseMs);
    }
    return changes;
  }

  async #step(kind: ChangeTimes["kind"], turn: number): Promise<ChangeTimes> {
    const wanted: Delta =
      kind === "remove"
        ? { upserts: [], removals: [{ kind: "route", id: "x" }] }
        : { upserts: [route("x", `/x/${kind}/${turn}`)], removals: [] };
    const startMs = performance.now();
    const before = process.threadCpuUsage();
    const { snapshot, delta } = changeSnapshot(this.#running, this.#running.version + 1, wanted);
    const { validate = 0, persist = 0, compile = 0, swap = 0 } = await this.#apply(snapshot, delta);
    const { user, system } = process.threadCpuUsage(before);
    this.#running = snapshot;
    const times = { validateMs: validate, persistMs: persist, compileMs: compile, swapMs: swap };
    return { kind, totalMs: performance.now() - startMs, supervisorCpuMs: (user + system) / 1_000, ...times };
  }

  async #apply(snapshot: Snapshot, delta?: ReturnType<typeof changeSnapshot>["delta"]) {
    const outcome = await this.#sink.apply({ kind: "snapshot", snapshot, delta });
    if (!outcome.ok) throw new Error(JSON.stringify(outcome.problems.slice(0, 5)));
    if (this.#cache.error !== "") throw new Error(this.#cache.error);
    return outcome.durationsMs;
  }
}

const [routes = "1", originPort = "0"] = process.argv.slice(2);
const port = await freePort();
const resources = tableState(Number(routes), Number(originPort), port);
const folder = await TemporaryFolder.create();
const host = new Host(createSnapshot({ epoch: "bench", version: 1, resources }), folder.path);
const report = (message: HostReport) => process.send?.(message);
process.on("disconnect", async () => {
  await folder[Symbol.asyncDispose]();
  process.exit();
});
process.on("message", async (request: HostRequest) => report({ type: "changed", changes: await host.change(request) }));
report({ type: "ready", port, loadMs: await host.start(), memoryBytes: process.memoryUsage.rss() });
