/**
 * A gateway of one worker with a table of routes, as a process to be measured: it changes the table when it is told to, by the way
 * that a data plane takes, and says what each change took.
 */
import { setTimeout as delay } from "node:timers/promises";
import { Gateway } from "../../src/app/node/gateway.ts";
import { applyDelta, type Delta } from "../../src/config/delta.ts";
import { Language } from "../../src/config/language.ts";
import { EMPTY_OVERLAY } from "../../src/config/overlay.ts";
import { createSnapshot, type Snapshot } from "../../src/config/snapshot.ts";
import { adjustStateHash, resourceHash } from "../../src/config/state-hash.ts";
import { systemClock } from "../../src/core/clock.ts";
import { silentLogger, silentMeter } from "../../src/core/ports.ts";
import { Supervisor } from "../../src/proxy/supervisor.ts";
import { freePort } from "../../test/support/free-port.ts";
import { route, tableState } from "./table-state.ts";

/** What one change took. */
export interface ChangeTimes {
  readonly kind: "add" | "change" | "remove";
  readonly totalMs: number;
  readonly validateMs: number;
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
  #running: Snapshot;

  constructor(running: Snapshot) {
    this.#running = running;
    this.#gateway = new Gateway({
      language: new Language([]),
      supervisor: new Supervisor({ workers: 1, logger: silentLogger, meter: silentMeter, clock: systemClock }),
      overlay: EMPTY_OVERLAY,
      resolveSecret: () => ({ ok: false, message: "there are no secrets here" }),
      onApplied: () => {},
      logger: silentLogger,
      clock: systemClock,
    });
  }

  /** Answers how long the whole took. */
  async start(): Promise<number> {
    await this.#gateway.start();
    const startMs = performance.now();
    const prepared = await this.#gateway.prepare(this.#running);
    if (!prepared.ok) throw new Error(JSON.stringify(prepared.problems.slice(0, 5)));
    await prepared.value.commit();
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
    const before = this.#running.resources.find(({ id }) => id === "x");
    const upserts = kind === "remove" ? [] : [route("x", `/x/${kind}/${turn}`)];
    const delta: Delta = { upserts, removals: kind === "remove" ? [{ kind: "route", id: "x" }] : [] };
    const startMs = performance.now();
    const { epoch, version, hash: from, resources } = this.#running;
    const hash = adjustStateHash(from, before === undefined ? [] : [resourceHash(before)], upserts.map(resourceHash));
    const next = { epoch, version: version + 1, hash, resources: applyDelta(resources, delta) };
    const prepared = await this.#gateway.prepare(next, { from, delta });
    if (!prepared.ok) throw new Error(JSON.stringify(prepared.problems));
    const { validate = 0, compile = 0, swap = 0 } = await prepared.value.commit();
    const totalMs = performance.now() - startMs;
    this.#running = next;
    return { kind, totalMs, validateMs: validate, compileMs: compile, swapMs: swap };
  }
}

const [routes = "1", originPort = "0"] = process.argv.slice(2);
const port = await freePort();
const resources = tableState(Number(routes), Number(originPort), port);
const host = new Host(createSnapshot({ epoch: "bench", version: 1, resources }));
const report = (message: HostReport) => process.send?.(message);
process.on("disconnect", () => process.exit());
process.on("message", async (request: HostRequest) => report({ type: "changed", changes: await host.change(request) }));
report({ type: "ready", port, loadMs: await host.start(), memoryBytes: process.memoryUsage.rss() });
