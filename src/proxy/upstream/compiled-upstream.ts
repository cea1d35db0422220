import type { Route } from "../../config/resources/route.ts";
import { TARGET_POLICY_KEYS, type TargetPolicy } from "../../config/resources/target-policy.ts";
import type { Target as TargetSettings, Upstream } from "../../config/resources/upstream.ts";
import type { BalancedRequest, Balancer } from "./balancer/balancer.ts";
import { balancerFor, type Fortune } from "./balancer/balancer-for.ts";
import { keyHash } from "./balancer/key-hash.ts";
import { Lineup, Member } from "./balancer/lineup.ts";
import { PeakEwma } from "./balancer/peak-ewma.ts";
import { Target } from "./target.ts";
import type { UpstreamPool } from "./upstream-pool.ts";

/** What a configuration says about an upstream, or about a route with targets of its own. */
export interface UpstreamSettings extends TargetPolicy {
  readonly backends: readonly TargetSettings[];
}

export interface UpstreamEnvironment extends Fortune {
  /** The connections to the origin of a URL. */
  poolOf(origin: string): UpstreamPool;
}

/**
 * The targets of an upstream as requests are spread over them. It goes on over changes of configuration that do not change it; where
 * one does, its successor takes over the targets that are still named, with all that is known of them.
 */
export class CompiledUpstream {
  readonly #fingerprint: string;
  /** By URL. */
  readonly #targets: ReadonlyMap<string, Target>;
  readonly #balancer: Balancer;
  readonly #lineup: Lineup;

  private constructor(
    settings: UpstreamSettings,
    fingerprint: string,
    targets: ReadonlyMap<string, Target>,
    fortune: Fortune,
  ) {
    const { backends, load_balancer = "round_robin", consistent_hash } = settings;
    this.#fingerprint = fingerprint;
    this.#targets = targets;
    this.#balancer = balancerFor(load_balancer, consistent_hash, fortune);
    this.#lineup = new Lineup(
      backends
        .filter(({ weight }) => weight > 0)
        .map(({ url, weight }) => new Member(targets.get(url)!, weight, keyHash(url))),
    );
    if (load_balancer === "least_response_time")
      for (const target of targets.values()) target.latency ??= new PeakEwma();
  }

  /** The predecessor itself where nothing has changed. */
  static of(
    settings: UpstreamSettings,
    previous: CompiledUpstream | undefined,
    environment: UpstreamEnvironment,
  ): CompiledUpstream {
    const pools = settings.backends.map(({ url }) => environment.poolOf(new URL(url).origin));
    const fingerprint = JSON.stringify(settings);
    if (previous !== undefined && previous.#fingerprint === fingerprint) return previous;
    const before = previous === undefined ? undefined : previous.#targets;
    const targets = settings.backends.map(({ url }, index): [string, Target] => {
      const pool = pools[index]!;
      const known = before?.get(url);
      return [url, known !== undefined && known.pool === pool ? known : new Target(pool, basePathOf(url))];
    });
    return new CompiledUpstream(settings, fingerprint, new Map(targets), environment);
  }

  /** Undefined when no target takes requests. `client` is the address of who asks. */
  choose(request: BalancedRequest, client: string): Target | undefined {
    return this.#balancer.next(this.#lineup, request, client);
  }
}

/** What an upstream, or a route with targets of its own, says about targets. */
export function upstreamSettingsOf(owner: Upstream | Route): UpstreamSettings {
  const policy = Object.fromEntries(TARGET_POLICY_KEYS.map((key) => [key, owner[key]]));
  return { ...policy, backends: owner.backends ?? [] };
}

function basePathOf(url: string): string {
  return new URL(url).pathname.replace(/\/+$/, "");
}
