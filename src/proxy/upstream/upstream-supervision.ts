import type { Configuration } from "../../config/configuration.ts";
import type { Clock } from "../../core/clock.ts";
import type { Logger } from "../../core/ports.ts";
import { CompiledUpstreamTls } from "../tls/compiled-upstream-tls.ts";
import type { UpstreamTls } from "../tls/tls-material.ts";
import { isShared, type SharedUpstream, type SharedUpstreams } from "./health/shared-upstream.ts";
import { TargetState } from "./health/target-state.ts";
import { UpstreamState } from "./health/upstream-state.ts";
import { UpstreamWatch } from "./health/upstream-watch.ts";
import type { WatchEnvironment } from "./health/watch-environment.ts";
import { ownersOfTargets, type UpstreamSettings, upstreamSettingsOf } from "./upstream-settings.ts";

const LOOK_INTERVAL_MS = 50;

export interface UpstreamSupervisionOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** From 0 to below 1. */
  readonly random?: () => number;
}

/**
 * What a node does once for all its workers about upstreams: gives them memory to know targets together, asks targets how they are,
 * and does what takes time. An upstream that a change of configuration does not touch is watched on as if nothing had happened.
 */
export class UpstreamSupervision {
  readonly #logger: Logger;
  readonly #environment: WatchEnvironment;
  #watches = new Map<string, UpstreamWatch>();
  #tls: CompiledUpstreamTls | undefined;
  #cancel: (() => void) | undefined;

  constructor({ clock, logger, random = Math.random }: UpstreamSupervisionOptions) {
    this.#logger = logger;
    this.#environment = { clock, random, tls: () => this.#tls! };
  }

  /** All that is watched, by the key of who has the targets. */
  get watches(): ReadonlyMap<string, UpstreamWatch> {
    return this.#watches;
  }

  /** The memory for a configuration that is not in effect yet: that of the one in effect where it names the same targets. */
  share(configuration: Configuration): SharedUpstreams {
    const shared = new Map<string, SharedUpstream>();
    for (const [key, owner] of ownersOfTargets(configuration))
      if (isShared(owner)) shared.set(key, this.#shareOne(key, upstreamSettingsOf(owner)));
    return shared;
  }

  /** The configuration is in effect. */
  follow(configuration: Configuration, shared: SharedUpstreams, tls: UpstreamTls): void {
    this.secure(tls);
    const before = this.#watches;
    this.#watches = new Map();
    for (const [key, owner] of ownersOfTargets(configuration)) {
      const memory = shared.get(key);
      if (memory !== undefined)
        this.#watches.set(key, this.#watch(key, upstreamSettingsOf(owner), memory, before.get(key)));
    }
    for (const [key, watch] of before) if (!this.#watches.has(key)) watch.stop();
    if (this.#cancel === undefined) this.#look();
  }

  /** Other files for what is in effect. */
  secure(tls: UpstreamTls): void {
    if (this.#tls?.fingerprint !== tls.fingerprint) this.#tls = new CompiledUpstreamTls(tls);
  }

  stop(): void {
    this.#cancel?.();
    for (const watch of this.#watches.values()) watch.stop();
    this.#watches = new Map();
  }

  #shareOne(key: string, { backends }: UpstreamSettings): SharedUpstream {
    const known = this.#watches.get(key)?.shared;
    return {
      upstream: known?.upstream ?? UpstreamState.create().memory,
      targets: new Map(backends.map(({ url }) => [url, known?.targets.get(url) ?? TargetState.create().memory])),
    };
  }

  #watch(key: string, settings: UpstreamSettings, shared: SharedUpstream, previous: UpstreamWatch | undefined) {
    if (previous !== undefined && JSON.stringify(previous.settings) === JSON.stringify(settings)) return previous;
    const watch = new UpstreamWatch({
      key,
      settings,
      shared,
      previous,
      logger: this.#logger,
      environment: this.#environment,
    });
    watch.start();
    return watch;
  }

  /** Rests while there is nothing to watch. */
  #look(): void {
    this.#cancel = undefined;
    if (this.#watches.size === 0) return;
    for (const watch of this.#watches.values()) watch.look();
    this.#cancel = this.#environment.clock.after(LOOK_INTERVAL_MS, () => this.#look());
  }
}
