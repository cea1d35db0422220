import type { Store } from "../../src/config/store.ts";

/** One storage, and stores that are opened on it one after the other or side by side. */
export interface StoreHarness {
  /** Each takes the time from `now`, milliseconds since 1970. */
  newStore(now: () => number): Store;
  destroy(): Promise<void>;
}

/** The stores that a test opens on a storage of its own. */
export class OpenStores {
  /** Milliseconds since 1970, for every store. */
  now = 1_000;
  readonly #newHarness: () => Promise<StoreHarness>;
  readonly #open: Store[] = [];
  #harness: StoreHarness | undefined;

  constructor(newHarness: () => Promise<StoreHarness>) {
    this.#newHarness = newHarness;
  }

  async begin(): Promise<void> {
    this.now = 1_000;
    this.#harness = await this.#newHarness();
  }

  async open(): Promise<Store> {
    const store = this.#harness!.newStore(() => this.now);
    this.#open.push(store);
    await store.open();
    return store;
  }

  async end(): Promise<void> {
    for (const store of this.#open.splice(0)) await store.close();
    await this.#harness?.destroy();
  }
}
