import type { Problem } from "../../config/problem.ts";
import { BoundListener } from "../listener/bound-listener.ts";
import { ConnectionCount } from "../listener/connection-count.ts";
import { explainListenError } from "../listener/listen-error.ts";
import { listenerSettingsOf } from "../listener/listener-settings.ts";
import type { TlsMaterial } from "../tls/tls-material.ts";
import type { Gateway } from "./gateway.ts";
import type { Doors, PlannedListener } from "./worker-protocol.ts";

/** Listeners that are open but take no connections yet, by key. */
export type OpenedListeners = ReadonlyMap<string, BoundListener>;

/** The listeners of a worker: those in effect, and those that are gone but still have connections. */
export class WorkerListeners {
  readonly #gateway: Gateway;
  readonly #index: number;
  readonly #bound = new Map<string, BoundListener>();
  readonly #closing = new Set<BoundListener>();
  /** Those in effect. */
  #planned: readonly PlannedListener[] = [];
  /** Whether none accepts connections for now. */
  #isShut = false;

  /** @param index of the worker among the others */
  constructor(gateway: Gateway, index: number) {
    this.#gateway = gateway;
    this.#index = index;
  }

  /** Opens those that are not open, into `opened`. Answers what could not be. */
  async open(listeners: readonly PlannedListener[], opened: Map<string, BoundListener>): Promise<Problem[]> {
    const problems: Problem[] = [];
    for (const [index, { key, host, port, listener, counts }] of listeners.entries()) {
      if (this.#bound.has(key)) continue;
      const bound = new BoundListener(this.#gateway, new ConnectionCount(counts, this.#index));
      try {
        await bound.bind(host, port);
        opened.set(key, bound);
      } catch (error) {
        problems.push(explainListenError(listener, index, error));
      }
    }
    return problems;
  }

  /** Puts `listeners` into effect, of which those that were not there are in `opened`. The others close. */
  replace({ listeners, tls }: Doors, opened: OpenedListeners): void {
    this.#planned = listeners;
    for (const [key, bound] of opened) this.#bound.set(key, bound);
    const kept = new Set(listeners.map(({ key }) => key));
    for (const [key, bound] of this.#bound) if (!kept.has(key)) this.#close(key, bound);
    for (const { key, listener } of listeners)
      this.#bound.get(key)?.configure(listenerSettingsOf(listener), tls.listeners.get(listener.id));
    if (this.#isShut) for (const bound of this.#bound.values()) bound.pause();
  }

  /** Whether connections are accepted; what was opened meanwhile follows too. Answers what could not be opened again. */
  async shut(isShut: boolean): Promise<Problem[]> {
    this.#isShut = isShut;
    const problems: Problem[] = [];
    for (const [index, { key, host, port, listener }] of this.#planned.entries()) {
      const bound = this.#bound.get(key);
      if (isShut) bound?.pause();
      else
        await bound?.resume(host, port).catch((error: unknown) => {
          problems.push(explainListenError(listener, index, error));
        });
    }
    return problems;
  }

  renew(tls: TlsMaterial): void {
    for (const { key, listener } of this.#planned) this.#bound.get(key)?.renew(tls.listeners.get(listener.id));
  }

  closeAll(): void {
    for (const [key, bound] of this.#bound) this.#close(key, bound);
  }

  /** Forgets those that are closed and have no connections any more. Answers whether none is left. */
  sweep(isEnding: boolean): boolean {
    for (const bound of this.#closing) {
      // A sweep after the last accept, so that a request that was already on its way is answered.
      if (isEnding) bound.closeIdle();
      if (bound.connections === 0) this.#closing.delete(bound);
    }
    return this.#closing.size === 0;
  }

  #close(key: string, bound: BoundListener): void {
    bound.close();
    this.#bound.delete(key);
    this.#closing.add(bound);
  }
}
