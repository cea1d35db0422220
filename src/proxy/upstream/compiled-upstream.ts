import type { FailureKind } from "../../core/failure.ts";
import { keyHash } from "../../core/key-hash.ts";
import type { Sweep } from "../../http/sweep.ts";
import { SessionAffinity } from "./affinity/session-affinity.ts";
import type { BalancedRequest, Balancer } from "./balancer/balancer.ts";
import { balancerFor, type Fortune } from "./balancer/balancer-for.ts";
import { Lineup, Member } from "./balancer/lineup.ts";
import type { PlannedTarget } from "./discovery/planned-target.ts";
import type { SharedUpstream } from "./health/shared-upstream.ts";
import { UpstreamState } from "./health/upstream-state.ts";
import { guardsOf } from "./resilience/guards-of.ts";
import { RequestQueue } from "./resilience/request-queue.ts";
import { Target } from "./target.ts";
import { TargetLoad } from "./target-load.ts";
import type { UpstreamPool } from "./upstream-pool.ts";
import type { UpstreamSettings } from "./upstream-settings.ts";

export interface UpstreamEnvironment extends Fortune {
  readonly sweep: Sweep;
  /** The connections to a target. */
  poolOf(target: PlannedTarget): UpstreamPool;
}

/** An upstream as a configuration has it. */
export interface UpstreamPlan {
  readonly settings: UpstreamSettings;
  /** Undefined where nothing is known together of its targets. */
  readonly shared: SharedUpstream | undefined;
}

const DEFAULT_PANIC_THRESHOLD = 10;

/**
 * The targets of an upstream as requests are spread over them. It goes on over changes of configuration that do not change it; where
 * one does, its successor takes over what is known of the targets that are still named.
 */
export class CompiledUpstream {
  readonly #fingerprint: string;
  /** By URL. */
  readonly loads = new Map<string, TargetLoad>();
  readonly #pools: readonly UpstreamPool[];
  readonly #balancer: Balancer;
  readonly #state: UpstreamState | undefined;
  readonly #panicShare: number;
  readonly #affinity: SessionAffinity | undefined;
  /** All with a weight, whether they take requests now or not. */
  readonly #members: readonly Member[];
  /** Of requests that wait for a place at a target; undefined where they do not wait. */
  readonly queue: RequestQueue | undefined;
  /** Whether targets are chosen by a hash of the request, or of who asks. */
  readonly isHashed: boolean;
  /** Whether all targets are spoken to in HTTP/2. */
  readonly isHttp2: boolean;
  #lineup: Lineup;
  /** The generation of the shared state that the lineup was made from. */
  #generation = 0;
  #refusal: FailureKind = "noTarget";

  private constructor(
    { settings, shared }: UpstreamPlan,
    fingerprint: string,
    pools: readonly UpstreamPool[],
    previous: CompiledUpstream | undefined,
    environment: UpstreamEnvironment,
  ) {
    const { backends, load_balancer = "round_robin", consistent_hash, panic_threshold } = settings;
    this.#fingerprint = fingerprint;
    this.#pools = pools;
    this.#balancer = balancerFor(load_balancer, consistent_hash, environment);
    this.isHashed = load_balancer === "consistent_hash";
    this.#panicShare = (panic_threshold ?? DEFAULT_PANIC_THRESHOLD) / 100;
    this.#state = shared && new UpstreamState(shared.upstream);
    const guards = shared && guardsOf(settings, shared);
    const isTimed = load_balancer === "least_response_time";
    this.queue = queueOf(settings, previous, environment.sweep);
    const { session_affinity } = settings;
    this.#affinity = session_affinity?.enabled === true ? new SessionAffinity(session_affinity) : undefined;
    this.isHttp2 = backends.length > 0 && backends.every(({ http2 }) => http2);
    const members: Member[] = [];
    for (const [index, { url, weight }] of backends.entries()) {
      const load = previous?.loads.get(url) ?? new TargetLoad();
      this.loads.set(url, load);
      const target = new Target({
        ...{ pool: pools[index]!, basePath: basePathOf(url), load, isTimed, queue: this.queue },
        guard: guards?.get(url),
      });
      this.#affinity?.add(url, target);
      if (weight > 0) members.push(new Member(target, weight, keyHash(url)));
    }
    this.#members = members;
    this.#lineup = new Lineup(members);
    if (this.#state !== undefined) this.#line(this.#state);
  }

  /** The predecessor itself where nothing has changed. */
  static of(
    plan: UpstreamPlan,
    previous: CompiledUpstream | undefined,
    environment: UpstreamEnvironment,
  ): CompiledUpstream {
    const pools = plan.settings.backends.map((target) => environment.poolOf(target));
    const fingerprint = JSON.stringify(plan.settings);
    const isSame =
      previous !== undefined &&
      previous.#fingerprint === fingerprint &&
      previous.#pools.every((pool, index) => pool === pools[index]);
    return isSame ? previous : new CompiledUpstream(plan, fingerprint, pools, previous, environment);
  }

  /** What an answer of the target tells the client, as lines of its head. */
  linesFor(request: BalancedRequest, target: Target): string {
    return this.#affinity === undefined ? "" : this.#affinity.cookieLine(request, target);
  }

  /** What to say when there is nobody to choose. */
  get refusal(): FailureKind {
    return this.#refusal;
  }

  /**
   * A target for the request that is not among those `tried`. It is to be told what becomes of the request. Undefined when no target
   * takes requests. `client` is the address of who asks.
   */
  choose(request: BalancedRequest, client: string, tried?: readonly Target[]): Target | undefined {
    const state = this.#state;
    if (state === undefined && tried === undefined && this.#affinity === undefined)
      return this.#balancer.next(this.#lineup, request, client);
    if (state !== undefined && state.generation !== this.#generation) this.#line(state);
    return this.#chooseAmong(request, client, tried ?? []);
  }

  #chooseAmong(request: BalancedRequest, client: string, tried: readonly Target[]): Target | undefined {
    const { members } = this.#lineup;
    for (const target of tried) passOver(members, target);
    for (const { target } of members) if (target.pool.isRetired) passOver(members, target);
    let chosen = this.#known(request) ?? this.#balancer.next(this.#lineup, request, client);
    while (chosen?.guard !== undefined && !chosen.guard.admits()) {
      this.#refusal = "circuitOpen";
      passOver(members, chosen);
      chosen = this.#balancer.next(this.#lineup, request, client);
    }
    for (let index = 0; index < members.length; index++) members[index]!.isPassedOver = false;
    return chosen;
  }

  /** The target that the client was answered by before, if it may have the request. */
  #known(request: BalancedRequest): Target | undefined {
    const known = this.#affinity?.targetOf(request);
    if (known === undefined) return undefined;
    return this.#lineup.members.some(({ target, isPassedOver }) => target === known && !isPassedOver)
      ? known
      : undefined;
  }

  /** Lines up the targets that take requests now. */
  #line(state: UpstreamState): void {
    this.#generation = state.generation;
    const all = this.#members;
    for (const member of all) {
      const share = this.isHashed ? 1 : (member.target.guard?.state.share ?? 1);
      member.weight = member.fullWeight * share;
    }
    const closed = all.filter(({ target }) => target.guard?.breaker?.isOpen !== true);
    const well = closed.filter(({ target }) => target.guard?.state.isWell !== false);
    const isPanic = fullWeightOf(well) < this.#panicShare * fullWeightOf(all);
    this.#lineup = new Lineup(isPanic ? closed : well);
    this.#refusal = closed.length === 0 && all.length > 0 ? "circuitOpen" : "noTarget";
  }
}

function fullWeightOf(members: readonly Member[]): number {
  return members.reduce((sum, { fullWeight }) => sum + fullWeight, 0);
}

/** Requests that wait go on waiting in the same queue where its limits are the same. */
function queueOf({ request_queue }: UpstreamSettings, previous: CompiledUpstream | undefined, sweep: Sweep) {
  if (request_queue?.enabled !== true) return undefined;
  const known = previous?.queue;
  return known?.hasLimits(request_queue) === true ? known : new RequestQueue(request_queue, sweep);
}

function passOver(members: readonly Member[], target: Target): void {
  for (let index = 0; index < members.length; index++)
    if (members[index]!.target === target) members[index]!.isPassedOver = true;
}

function basePathOf(url: string): string {
  return new URL(url).pathname.replace(/\/+$/, "");
}
