import type { Logger } from "../../../core/ports.ts";
import type { CircuitBreaker } from "../resilience/circuit-breaker.ts";
import { CircuitWatch } from "../resilience/circuit-watch.ts";
import type { TargetGuard } from "../resilience/target-guard.ts";
import type { UpstreamSettings } from "../upstream-settings.ts";
import { Ejection } from "./ejection.ts";
import { type Findings, HealthCheck, NO_FINDINGS } from "./health-check.ts";
import { probeOf } from "./probe.ts";
import type { UpstreamState } from "./upstream-state.ts";
import type { WatchEnvironment } from "./watch-environment.ts";

/** The least share that a target starts with. */
const FIRST_SHARE = 0.1;

export interface TargetWatchOptions {
  readonly url: string;
  readonly settings: UpstreamSettings;
  readonly guard: TargetGuard;
  readonly upstream: UpstreamState;
  readonly logger: Logger;
  readonly environment: WatchEnvironment;
  /** What watched the same target under other settings. */
  readonly previous: TargetWatch | undefined;
}

/** The supervisor's side of one target: asks how it is, lets it in again after its time, gives it its share back slowly. */
export class TargetWatch {
  readonly url: string;
  /** Scheme, host and port: what is shown of it, since a path may be a secret. */
  readonly name: string;
  readonly guard: TargetGuard;
  /** Its own, where it has one. */
  readonly circuit: CircuitWatch | undefined;
  readonly ejection: Ejection;
  readonly #settings: UpstreamSettings;
  readonly #upstream: UpstreamState;
  readonly #logger: Logger;
  readonly #clock: WatchEnvironment["clock"];
  readonly #check: HealthCheck | undefined;
  #isSeenEjected: boolean;
  #growsSinceMs: number | undefined;

  constructor({ url, settings, guard, upstream, logger, environment, previous }: TargetWatchOptions) {
    this.url = url;
    this.name = new URL(url).origin;
    this.guard = guard;
    this.ejection = previous?.ejection ?? new Ejection();
    this.#settings = settings;
    this.#upstream = upstream;
    this.#logger = logger.child({ target: this.name });
    this.#clock = environment.clock;
    this.#isSeenEjected = previous?.isEjected ?? false;
    this.#growsSinceMs = previous === undefined ? undefined : previous.#growsSinceMs;
    this.circuit = this.#circuitOf(guard.breaker);
    const { health_check, backends } = settings;
    const authority = backends.find((target) => target.url === url)?.authority;
    if (health_check?.enabled === true)
      this.#check = new HealthCheck({
        settings: health_check,
        probe: probeOf(url, authority, health_check, environment.tls),
        findings: previous?.findings ?? NO_FINDINGS,
        onTurn: (findings) => this.#turn(findings),
        ...environment,
      });
  }

  get findings(): Findings {
    return this.#check?.findings ?? NO_FINDINGS;
  }

  get isEjected(): boolean {
    return this.guard.state.isEjected;
  }

  start(): void {
    this.#check?.start();
    if (this.#check === undefined && this.guard.state.isFailing) this.#setFailing(false); // Nobody asks any more.
  }

  stop(): void {
    this.#check?.stop();
  }

  /** Takes its full share slowly from now on, if that is asked for. */
  grow(): void {
    const { slow_start = 0, load_balancer } = this.#settings;
    if (slow_start === 0 || load_balancer === "consistent_hash") return;
    this.#growsSinceMs = this.#clock.monotonicMs();
    this.#share(FIRST_SHARE);
  }

  look(nowMs: number): void {
    this.circuit?.look(nowMs);
    this.#lookAtEjection(nowMs);
    this.#lookAtShare(nowMs);
  }

  /** Leaves it out if too many of its requests failed since the last call. */
  judge(): void {
    const { outlier_detection: rules } = this.#settings;
    const { successes, failures } = this.guard.state.take();
    if (rules === undefined || rules.failure_rate === 0 || successes + failures < rules.min_requests) return;
    if (failures / (successes + failures) >= rules.failure_rate) this.guard.eject();
  }

  /** It is a target no more; its place among those that may be left out is free. */
  forget(): void {
    this.stop();
    if (this.isEjected) this.#upstream.giveEjection();
  }

  #circuitOf(breaker: CircuitBreaker | undefined): CircuitWatch | undefined {
    const { circuit_breaker } = this.#settings;
    if (breaker === undefined || circuit_breaker?.scope !== "target") return undefined;
    return new CircuitWatch(breaker, circuit_breaker, this.#logger, () => this.grow());
  }

  #turn({ health, error }: Findings): void {
    const wasFailing = this.guard.state.isFailing;
    if (health === "unhealthy") this.#logger.warn("A target is unhealthy", { reason: error });
    else if (wasFailing) this.#logger.info("A target is healthy again");
    else this.#logger.info("A target is healthy");
    this.#setFailing(health === "unhealthy");
    if (wasFailing) this.grow();
  }

  #setFailing(isFailing: boolean): void {
    this.guard.state.isFailing = isFailing;
    this.#upstream.changed();
  }

  #lookAtEjection(nowMs: number): void {
    const { outlier_detection: rules } = this.#settings;
    const { state } = this.guard;
    if (!state.isEjected) {
      if (rules !== undefined) this.ejection.calm(rules, nowMs);
    } else if (rules?.enabled !== true) this.#admit(nowMs);
    else if (!this.#isSeenEjected) {
      this.#isSeenEjected = true;
      const lastsMs = this.ejection.begin(rules, nowMs);
      this.#logger.warn("A target fails requests and is left out", { for_ms: lastsMs });
    } else if (this.ejection.isOver(nowMs)) {
      this.#admit(nowMs);
      this.#logger.info("A target that failed requests gets them again");
      this.grow();
    }
  }

  #admit(nowMs: number): void {
    this.#isSeenEjected = false;
    this.ejection.end(nowMs);
    this.guard.state.admit();
    this.#upstream.giveEjection();
    this.#upstream.changed();
  }

  #lookAtShare(nowMs: number): void {
    if (this.#growsSinceMs === undefined) return;
    const { slow_start = 0 } = this.#settings;
    const share = slow_start === 0 ? 1 : Math.min(1, (nowMs - this.#growsSinceMs) / slow_start);
    if (share === 1) this.#growsSinceMs = undefined;
    if (share > this.guard.state.share) this.#share(share);
  }

  #share(share: number): void {
    this.guard.state.share = share;
    this.#upstream.changed();
  }
}
