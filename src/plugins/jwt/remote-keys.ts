import { errors } from "jose";
import type { Clock, PluginHost } from "../../sdk/index.ts";
import { type KeySource, readKeySet } from "./key-source.ts";

export interface RemoteKeysOptions {
  readonly url: string;
  /** After which the keys are fetched again. */
  readonly refreshMs: number;
  readonly host: Pick<PluginHost, "fetch" | "logger" | "count"> & { readonly clock: Clock };
}

/** Keys that cannot be fetched any more are used for so long: an issuer that is away must not lock everybody out. */
const STALE_MS = 24 * 3_600_000;
/** A token with an unknown key makes us look for new ones, but not more often than this. */
const PAUSE_MS = 30_000;
const MAX_BYTES = 262_144;
const TIMEOUT_MS = 5_000;

/**
 * The keys that an issuer publishes. They are fetched when first needed, again when they are old, and when a token names a key that is
 * not among them. However many requests wait, they are fetched once; while they are fetched again, those that are there serve.
 */
export class RemoteKeys {
  readonly #options: RemoteKeysOptions;
  #keys: KeySource | undefined;
  #fetchedMs = Number.NEGATIVE_INFINITY;
  #triedMs = Number.NEGATIVE_INFINITY;
  #fetching: Promise<void> | undefined;

  constructor(options: RemoteKeysOptions) {
    this.#options = options;
  }

  readonly find: KeySource = async (header, token) => {
    const ageMs = this.#ageMs();
    if (this.#keys === undefined || ageMs > STALE_MS) await this.#fetch();
    else if (ageMs > this.#options.refreshMs) void this.#fetch();
    try {
      return await this.#known(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
      await this.#fetch();
      return this.#known(header, token);
    }
  };

  #known: KeySource = (header, token) => {
    if (this.#keys === undefined || this.#ageMs() > STALE_MS) throw new KeysUnavailable("no keys could be fetched");
    return this.#keys(header, token);
  };

  #ageMs(): number {
    return this.#options.host.clock.monotonicMs() - this.#fetchedMs;
  }

  /** Does not reject: what it could not fetch is missing, and what is there stays. */
  #fetch(): Promise<void> {
    const { clock } = this.#options.host;
    if (this.#fetching !== undefined) return this.#fetching;
    if (clock.monotonicMs() - this.#triedMs < PAUSE_MS) return Promise.resolve();
    this.#triedMs = clock.monotonicMs();
    this.#fetching = this.#fetchOnce().finally(() => {
      this.#fetching = undefined;
    });
    return this.#fetching;
  }

  async #fetchOnce(): Promise<void> {
    const { url, host } = this.#options;
    try {
      const { status, body } = await host.fetch(url, { timeoutMs: TIMEOUT_MS, maxBytes: MAX_BYTES });
      if (status !== 200) throw new Error(`it answered ${status}`);
      this.#keys = readKeySet(body);
      this.#fetchedMs = host.clock.monotonicMs();
    } catch (error) {
      host.count("keys_unavailable");
      host.logger.warn("The keys of tokens could not be fetched", { url, reason: String(error) });
    }
  }
}

/** That a token cannot be verified now says nothing about the token. */
export class KeysUnavailable extends Error {}
