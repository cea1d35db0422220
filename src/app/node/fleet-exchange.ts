import type { NodeReport } from "../../admin/fleet-view.ts";
import type { FleetNews, FleetRegistry } from "../../config/fleet-registry.ts";
import type { JsonObject } from "../../config/json.ts";
import type { Clock } from "../../core/clock.ts";
import type { Logger } from "../../core/ports.ts";
import type { Service } from "../../core/service.ts";
import { reportFromJson, reportToJson } from "./node-report-json.ts";
import type { SharedIdentityLedger } from "./shared-identity-ledger.ts";

export interface FleetExchangeOptions {
  readonly registry: FleetRegistry;
  readonly controlPlane: { readonly id: string; readonly address: string };
  readonly ledger: SharedIdentityLedger;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The fleet of this control plane, as far as it is told to others. */
export interface OwnFleet {
  nodes(): readonly NodeReport[];
  /** Somebody freed the id of a node elsewhere. */
  forget(nodeId: string): void;
}

/** A node of another control plane. */
export interface ForeignNode {
  readonly report: NodeReport;
  readonly controlPlane: string;
  /** Whether its control plane has been heard of lately; if not, nobody knows how the node is. */
  readonly isCurrent: boolean;
}

/** At most so often, however many heartbeats come. */
const INTERVAL_MS = 1_000;
/** Everything is read anew after so long, should anything have been missed. */
const FULL_EVERY_MS = 60_000;
const SILENT_MS = 5_000;

/** Tells the other control planes on the store how the own nodes are, and knows how theirs are. */
export class FleetExchange implements Service {
  readonly name = "fleet exchange";
  readonly #options: FleetExchangeOptions;
  #fleet: OwnFleet | undefined;
  #cancel: () => void = () => {};
  #isRunning = false;
  #exchanging: Promise<void> | undefined;
  /** What was told last, as text, by key. */
  #told = new Map<string, string>();
  #foreign = new Map<string, { readonly controlPlane: string; readonly report: NodeReport }>();
  #planes: FleetNews["controlPlanes"] = [];
  #asOf = 0;
  #fullAtMs = 0;
  #heardAtMs = 0;

  constructor(options: FleetExchangeOptions) {
    this.#options = options;
  }

  /** Reads who owns which id before any node is let in. */
  async open(): Promise<void> {
    await this.#options.registry.begin(this.#options.controlPlane.id);
    await this.#exchange();
  }

  follow(fleet: OwnFleet): void {
    this.#fleet = fleet;
  }

  async start(): Promise<void> {
    this.#isRunning = true;
    this.#schedule();
  }

  async stop(): Promise<void> {
    this.#isRunning = false;
    this.#cancel();
    await this.#exchanging;
  }

  /** Where data planes may turn to instead of here. */
  addresses(): string[] {
    return this.#planes.filter((plane) => this.#isHeard(plane) && plane.address !== "").map(({ address }) => address);
  }

  nodes(): ForeignNode[] {
    const current = new Set(this.#planes.filter((plane) => this.#isHeard(plane)).map(({ id }) => id));
    return [...this.#foreign.values()].map((node) => ({ ...node, isCurrent: current.has(node.controlPlane) }));
  }

  #isHeard({ silentMs }: FleetNews["controlPlanes"][number]): boolean {
    return silentMs + (this.#options.clock.monotonicMs() - this.#heardAtMs) < SILENT_MS;
  }

  #schedule(): void {
    if (!this.#isRunning) return;
    this.#cancel = this.#options.clock.after(INTERVAL_MS, () => {
      this.#exchanging = this.#exchange()
        // The store being away is told elsewhere; what was not told is told when it is there again.
        .catch((error: unknown) => this.#options.logger.debug("The fleet could not be exchanged", { error }))
        .finally(() => this.#schedule());
    });
  }

  async #exchange(): Promise<void> {
    const { registry, controlPlane, ledger, clock } = this.#options;
    const nowMs = clock.monotonicMs();
    const isFull = this.#asOf === 0 || nowMs - this.#fullAtMs > FULL_EVERY_MS;
    const rows = new Map((this.#fleet?.nodes() ?? []).map((node) => [keyOf(node), reportToJson(node)]));
    const texts = new Map([...rows].map(([key, row]) => [key, JSON.stringify(row)]));
    const untold = ledger.untold();
    const report = { controlPlane, nodes: this.#changed(rows, texts), ...untold };
    const news = await registry.exchange(report, isFull ? 0 : this.#asOf);
    this.#told = texts;
    this.#hear(news, isFull);
    if (isFull) this.#fullAtMs = nowMs;
    for (const nodeId of ledger.heard(untold, news.claims)) this.#fleet?.forget(nodeId);
  }

  #changed(
    rows: ReadonlyMap<string, JsonObject>,
    texts: ReadonlyMap<string, string>,
  ): Map<string, JsonObject | undefined> {
    const changed = new Map<string, JsonObject | undefined>();
    for (const key of this.#told.keys()) if (!rows.has(key)) changed.set(key, undefined);
    for (const [key, row] of rows) if (texts.get(key) !== this.#told.get(key)) changed.set(key, row);
    return changed;
  }

  #hear({ asOf, controlPlanes, nodes }: FleetNews, isFull: boolean): void {
    this.#asOf = asOf;
    this.#planes = controlPlanes;
    this.#heardAtMs = this.#options.clock.monotonicMs();
    if (isFull) this.#foreign = new Map();
    for (const { controlPlane, key, node } of nodes) {
      const foreignKey = `${controlPlane}\n${key}`;
      if (node === undefined) this.#foreign.delete(foreignKey);
      else this.#foreign.set(foreignKey, { controlPlane, report: reportFromJson(node) });
    }
  }
}

/** A node that was not let in may have the id of one that was. */
function keyOf({ nodeId, status, address }: NodeReport): string {
  return status === "rejected" ? `${nodeId}\n${address}` : nodeId;
}
