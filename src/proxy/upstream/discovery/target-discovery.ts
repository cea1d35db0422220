import type { Configuration } from "../../../config/configuration.ts";
import type { ConfigurationChange } from "../../../config/configuration-change.ts";
import type { DnsResolver } from "../../../config/resources/dns-resolver.ts";
import type { Target, Upstream } from "../../../config/resources/upstream.ts";
import type { Clock } from "../../../core/clock.ts";
import type { Logger } from "../../../core/ports.ts";
import {
  discoveredTargets,
  discovers,
  type Found,
  firstServices,
  nameOf,
  sortedAddresses,
} from "./discovered-targets.ts";
import { NameResolver } from "./name-resolver.ts";

export interface TargetDiscoveryOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Told when the names in use were asked for again. */
  readonly onRefreshed: () => void;
}

/**
 * Targets that a configuration names only by what leads to them: each address of a name, or each service of its SRV records. The
 * supervisor asks, for all workers, and puts what is found into the configuration that they get, so that a target that was found is
 * one like any other. What was found last is used on while a name cannot be resolved.
 */
export class TargetDiscovery {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #onRefreshed: () => void;
  readonly #names: NameResolver;
  /** By `keyOf`. */
  readonly #found = new Map<string, Found>();
  /** Those with discovery in the configuration in effect, by id. */
  #upstreams = new Map<string, Upstream>();
  #settings: DnsResolver | undefined;
  #cancel: (() => void) | undefined;
  #isStopped = false;

  constructor({ clock, logger, onRefreshed }: TargetDiscoveryOptions) {
    this.#clock = clock;
    this.#logger = logger;
    this.#onRefreshed = onRefreshed;
    this.#names = new NameResolver(clock, logger);
  }

  /** Asks for names that nothing is known of. Takes no longer than the resolver does, and never rejects. */
  async learn(upstreams: readonly Upstream[], settings: DnsResolver): Promise<void> {
    const targets = upstreams.filter(discovers).flatMap(({ backends }) => backends);
    const unknown = targets.filter((target) => target.discover !== undefined && !this.#found.has(keyOf(target)));
    if (unknown.length === 0) return;
    this.#names.configure(settings);
    await Promise.all(unknown.map((target) => this.#ask(target)));
  }

  /** The configuration as workers get it; the same where nothing is discovered. */
  expand(configuration: Configuration): Configuration {
    if (!configuration.upstreams.some(discovers)) return configuration;
    return { ...configuration, upstreams: configuration.upstreams.map((upstream) => this.#expandOne(upstream)) };
  }

  /** @param from what workers have */
  expandChange(change: ConfigurationChange, from: Configuration): ConfigurationChange {
    const isTouched = this.#upstreams.size > 0 || change.upstreams.some(discovers);
    if (!isTouched) return change;
    const upstreams = change.upstreams.map((upstream) => this.#expandOne(upstream));
    return { ...change, from, to: this.expand(change.to), upstreams };
  }

  /** The upstreams whose names stand for other targets than workers know, as a change of what they have. */
  change(source: Configuration, from: Configuration): ConfigurationChange {
    const to = this.expand(source);
    const before = new Map(from.upstreams.map((upstream) => [upstream.id, JSON.stringify(upstream.backends)]));
    const upstreams = to.upstreams.filter(({ id, backends }) => before.get(id) !== JSON.stringify(backends));
    return { from, to, upstreams, routes: [], removedRoutes: [], removedUpstreams: [] };
  }

  /** The configuration is in effect. */
  follow({ upstreams, settings }: Configuration): void {
    this.#upstreams = new Map(upstreams.filter(discovers).map((upstream) => [upstream.id, upstream]));
    this.#settings = settings.dns_resolver;
    const used = new Set(this.#targets().map(keyOf));
    for (const key of this.#found.keys()) if (!used.has(key)) this.#found.delete(key);
    if (this.#upstreams.size > 0) this.#cancel ??= this.#later();
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancel?.();
  }

  #later(): () => void {
    return this.#clock.after(this.#settings?.refresh ?? 0, () => void this.#refresh());
  }

  /** Never rejects. */
  async #refresh(): Promise<void> {
    this.#names.configure(this.#settings!);
    await Promise.all(this.#targets().map((target) => this.#ask(target)));
    if (this.#isStopped) return;
    this.#cancel = this.#upstreams.size > 0 ? this.#later() : undefined;
    this.#onRefreshed();
  }

  #targets(): Target[] {
    const targets = [...this.#upstreams.values()].flatMap(({ backends }) => backends);
    return targets.filter(({ discover }) => discover !== undefined);
  }

  #expandOne(upstream: Upstream): Upstream {
    if (!discovers(upstream)) return upstream;
    return { ...upstream, backends: discoveredTargets(upstream.backends, (target) => this.#found.get(keyOf(target))) };
  }

  async #ask(target: Target): Promise<void> {
    const name = nameOf(target);
    const before = this.#found.get(keyOf(target));
    try {
      const found = await this.#resolve(name, target.discover);
      if (JSON.stringify(found) === JSON.stringify(before)) return;
      this.#found.set(keyOf(target), found);
      this.#logger.info("A name stands for other targets", { name, targets: found.length });
    } catch (error) {
      const reason = error instanceof Error && "code" in error ? error.code : String(error);
      this.#logger.warn("The targets of a name could not be found: those known are used", {
        ...{ name, reason, targets: before?.length ?? 0 },
      });
    }
  }

  async #resolve(name: string, discover: Target["discover"]): Promise<Found> {
    if (discover === "srv") return firstServices(await this.#names.services(name));
    return sortedAddresses((await this.#names.resolve(name)).map(({ address }) => address));
  }
}

function keyOf(target: Target): string {
  return `${target.discover} ${nameOf(target)}`;
}
