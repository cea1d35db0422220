import type { Logger } from "../../../core/ports.ts";
import { CircuitWatch } from "../resilience/circuit-watch.ts";
import { guardsOf } from "../resilience/guards-of.ts";
import type { UpstreamSettings } from "../upstream-settings.ts";
import type { SharedUpstream } from "./shared-upstream.ts";
import { TargetWatch } from "./target-watch.ts";
import { UpstreamState } from "./upstream-state.ts";
import type { WatchEnvironment } from "./watch-environment.ts";

export interface UpstreamWatchOptions {
  /** Of who has the targets. */
  readonly key: string;
  readonly settings: UpstreamSettings;
  readonly shared: SharedUpstream;
  readonly logger: Logger;
  readonly environment: WatchEnvironment;
  /** What watched the same upstream under other settings. */
  readonly previous: UpstreamWatch | undefined;
}

/** The supervisor's side of an upstream. Looks at its targets a few times a second while a configuration names it. */
export class UpstreamWatch {
  readonly key: string;
  readonly settings: UpstreamSettings;
  readonly shared: SharedUpstream;
  readonly targets: readonly TargetWatch[];
  /** The one for all targets, where there is such a one. */
  readonly circuit: CircuitWatch | undefined;
  readonly #previous: UpstreamWatch | undefined;
  readonly #clock: WatchEnvironment["clock"];
  #judgedMs: number;

  constructor({ key, settings, shared, logger, environment, previous }: UpstreamWatchOptions) {
    this.key = key;
    this.settings = settings;
    this.shared = shared;
    this.#previous = previous;
    this.#clock = environment.clock;
    this.#judgedMs = environment.clock.monotonicMs();
    const upstream = new UpstreamState(shared.upstream);
    const named = logger.child({ upstream: key });
    const guards = guardsOf(settings, shared);
    this.targets = [...guards].map(
      ([url, guard]) =>
        new TargetWatch({
          ...{ url, settings, guard, upstream, logger: named, environment },
          previous: previous?.targets.find((target) => target.url === url),
        }),
    );
    const { circuit_breaker } = settings;
    const breaker = this.targets[0]?.guard.breaker;
    if (circuit_breaker?.scope === "upstream" && breaker !== undefined)
      this.circuit = new CircuitWatch(breaker, circuit_breaker, named, () => {});
  }

  /** Takes over from the predecessor: targets that are new to it start slowly. */
  start(): void {
    const before = this.#previous?.targets ?? [];
    for (const target of before)
      if (this.targets.some(({ url }) => url === target.url)) target.stop();
      else target.forget();
    for (const target of this.targets) {
      target.start();
      if (before.length > 0 && before.every(({ url }) => url !== target.url)) target.grow();
    }
  }

  stop(): void {
    for (const target of this.targets) target.stop();
  }

  look(): void {
    const nowMs = this.#clock.monotonicMs();
    this.circuit?.look(nowMs);
    const intervalMs = this.settings.outlier_detection?.interval ?? Number.POSITIVE_INFINITY;
    if (nowMs - this.#judgedMs >= intervalMs) {
      this.#judgedMs = nowMs;
      for (const target of this.targets) target.judge();
    }
    for (const target of this.targets) target.look(nowMs);
  }
}
