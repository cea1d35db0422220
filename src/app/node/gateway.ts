import { toConfiguration } from "../../config/compile.ts";
import type { Configuration } from "../../config/configuration.ts";
import type { ConfigurationChange } from "../../config/configuration-change.ts";
import { ConfigurationState } from "../../config/configuration-state.ts";
import { type Delta, deltaBetween } from "../../config/delta.ts";
import type { Language } from "../../config/language.ts";
import { type NodeOverlay, overlayNode } from "../../config/overlay.ts";
import { type Checked, checked, refused } from "../../config/problem.ts";
import type { Resource, ResourceRef } from "../../config/resource.ts";
import type { SecretResolver } from "../../config/secret-reference.ts";
import type { Clock } from "../../core/clock.ts";
import type { Logger } from "../../core/ports.ts";
import type { Service } from "../../core/service.ts";
import { ConfigurationRefused } from "../../proxy/configuration-refused.ts";
import type { Supervisor } from "../../proxy/supervisor.ts";

/** A configuration that is ready to run: nothing has changed yet, and `abort` leaves it so. */
export interface PreparedChange {
  /** Makes it live in every worker. Answers how long each phase took, in milliseconds. */
  commit(): Promise<Readonly<Record<string, number>>>;
  abort(): Promise<void>;
}

/** What a node is to run: a snapshot, or resources that come from no store. */
export interface GatewayTarget {
  readonly resources: readonly Resource[];
  /** Its state hash, where it is known. */
  readonly hash?: bigint;
}

/** The way to a target. */
export interface GatewayStep {
  /** The state hash of what it starts from. */
  readonly from: bigint;
  readonly delta: Delta;
}

/**
 * Resources that may differ for a change to be put in place; with more, all is made anew beside what runs. So many keep a worker for some
 * milliseconds; a table made anew keeps its core busy for seconds where it is long.
 */
const MAX_STEP = 4_096;

export interface GatewayOptions {
  readonly language: Language;
  /** Undefined on a control plane that proxies nothing. */
  readonly supervisor: Supervisor | undefined;
  readonly overlay: NodeOverlay;
  readonly resolveSecret: SecretResolver;
  /** Called with each configuration that went live. */
  readonly onApplied: (configuration: Configuration) => void;
  readonly logger: Logger;
  readonly clock: Clock;
}

/** The proxying half of a node: turns resources into what its workers run. */
export class Gateway implements Service {
  readonly name = "gateway";
  readonly #options: GatewayOptions;
  #state: ConfigurationState | undefined;
  /** The state hash of what runs, without the overlay; undefined where nobody has said. */
  #hash: bigint | undefined;
  /** Whether anything that was compiled since the last whole check came from a secret. */
  #hasSecrets = () => false;
  #shown: Configuration | undefined;
  #drainingSince: number | undefined;
  #started: Promise<void> | undefined;
  #isClosed = false;
  #cancelClosing: () => void = () => {};

  constructor(options: GatewayOptions) {
    this.#options = options;
  }

  get supervisor(): Supervisor | undefined {
    return this.#options.supervisor;
  }

  /** What runs now; secrets are resolved in it, so it is not for showing. */
  get live(): Configuration | undefined {
    return this.#state?.configuration;
  }

  /** What runs now, with secret references as they were written. */
  get shown(): Configuration | undefined {
    this.#shown ??= this.#compileForShowing();
    return this.#shown;
  }

  /** What runs now, the node's own listeners and logging included. */
  get resources(): readonly Resource[] {
    return this.#state?.resources ?? [];
  }

  /** Milliseconds since 1970. */
  get drainingSince(): number | undefined {
    return this.#drainingSince;
  }

  /** Workers start while the first configuration is read and checked; `prepare` waits for them. */
  async start(): Promise<void> {
    this.#started = this.#options.supervisor?.start();
    this.#started?.catch(() => {}); // Whoever waits for them is told.
  }

  /** Answers when the workers have started. @throws what kept them from it */
  async started(): Promise<void> {
    await this.#started;
  }

  async stop(deadline: AbortSignal): Promise<void> {
    await this.#options.supervisor?.stop(deadline);
  }

  /** Whether new connections are accepted. */
  get acceptsConnections(): boolean {
    return !this.#isClosed;
  }

  /**
   * Connections end with their next answer, and after a delay no new ones are accepted.
   * @param delayMs left out, that of the configuration, where it is more than nothing
   */
  drain(delayMs?: number): void {
    const { clock, supervisor } = this.#options;
    this.#drainingSince ??= clock.now();
    this.#tellWorkers(supervisor?.drain({ isClosed: this.#isClosed }));
    const untilClosedMs = delayMs ?? (this.live?.settings.shutdown.drain_delay || undefined);
    this.#cancelClosing();
    if (untilClosedMs !== undefined) this.#cancelClosing = clock.after(untilClosedMs, () => this.#closeDoors());
  }

  undrain(): void {
    this.#cancelClosing();
    this.#isClosed = false;
    this.#drainingSince = undefined;
    this.#tellWorkers(this.#options.supervisor?.undrain());
  }

  #closeDoors(): void {
    this.#isClosed = true;
    this.#tellWorkers(this.#options.supervisor?.drain({ isClosed: true }));
  }

  /** Made when somebody asks, since most configurations are replaced without having been looked at. */
  #compileForShowing(): Configuration | undefined {
    if (this.#state === undefined || !this.#hasSecrets()) return this.#state?.configuration;
    const { language } = this.#options;
    const configuration = toConfiguration(language, this.#state.resources, { resolveSecret: keepReference });
    return configuration.ok ? configuration.value : undefined;
  }

  /** Being ready or not does not wait for the workers; one that cannot be told is being replaced. */
  #tellWorkers(told: Promise<void> | undefined): void {
    told?.catch((error: unknown) => this.#options.logger.warn("A worker could not be told to drain", { error }));
  }

  /**
   * Shape, meaning and secrets, then everything that can fail in the workers. Problems mean that nothing has changed. Where
   * little differs from what runs, only that is checked, compiled and sent.
   * @param step how to come to the target, where that is known; it is taken only from the very state that it starts from
   */
  async prepare(target: GatewayTarget, step?: GatewayStep): Promise<Checked<PreparedChange>> {
    const { clock, supervisor } = this.#options;
    const startedAt = clock.monotonicMs();
    const next = this.#propose(target, step) ?? this.#check(target);
    if (!next.ok) return next;
    const { configuration, change, goLive } = next.value;
    const validate = clock.monotonicMs() - startedAt;
    await this.#started;
    try {
      const isLive = change !== undefined && isEmpty(change);
      const prepared = isLive ? undefined : await supervisor?.prepare(configuration, change);
      return checked({
        commit: async () => {
          const timings = await prepared?.commit();
          goLive();
          this.#hash = target.hash;
          return { validate, ...timings };
        },
        abort: async () => prepared?.abort(),
      });
    } catch (error) {
      if (error instanceof ConfigurationRefused) return refused(error.problems);
      throw error;
    }
  }

  /** What differs, checked alone; undefined where the whole has to be looked at. */
  #propose(target: GatewayTarget, step: GatewayStep | undefined): Checked<Next> | undefined {
    const state = this.#state;
    if (state === undefined) return undefined;
    const delta = this.#differenceFrom(state, target, step);
    const size = delta.upserts.length + delta.removals.length;
    // What secrets stand for may have changed although nothing that is written has.
    if (size > MAX_STEP || (size === 0 && this.#hasSecrets())) return undefined;
    // A snapshot that nothing is put over is itself what runs: a copy less.
    const isItself = target.hash !== undefined && isBare(this.#options.overlay);
    const proposal = state.propose(delta, isItself ? target.resources : undefined);
    if (proposal === undefined || !proposal.ok) return proposal;
    const { change, commit } = proposal.value;
    if (serves(change.from) !== serves(change.to)) return undefined; // From now on secrets are needed, or are not.
    const goLive = () => {
      commit();
      if (!isEmpty(change)) this.#onLive();
    };
    return checked({ configuration: change.to, change, goLive });
  }

  #differenceFrom(state: ConfigurationState, { resources }: GatewayTarget, step: GatewayStep | undefined): Delta {
    const isKnown = step !== undefined && this.#hash !== undefined && step.from === this.#hash;
    // An overlay is about listeners and settings, so other resources are the same with it and without.
    if (isKnown && [...step.delta.upserts, ...step.delta.removals].every(isOfTable)) return step.delta;
    return deltaBetween(state.resources, overlayNode(resources, this.#options.overlay));
  }

  #check({ resources }: GatewayTarget): Checked<Next> {
    const { language, overlay, resolveSecret } = this.#options;
    const own = overlayNode(resources, overlay);
    const needsSecrets = own.some(({ kind }) => kind === "listener");
    let hasSecrets = false;
    const state = ConfigurationState.of(language, own, (reference) => {
      hasSecrets = true;
      return needsSecrets ? resolveSecret(reference) : keepReference(reference);
    });
    if (!state.ok) return state;
    const goLive = () => {
      this.#state = state.value;
      this.#hasSecrets = () => hasSecrets;
      this.#onLive();
    };
    return checked({ configuration: state.value.configuration, change: undefined, goLive });
  }

  #onLive(): void {
    this.#shown = undefined;
    this.#options.onApplied(this.#state!.configuration);
  }
}

/** What `prepare` has found right. */
interface Next {
  readonly configuration: Configuration;
  /** Undefined where the whole is to be made anew. */
  readonly change: ConfigurationChange | undefined;
  readonly goLive: () => void;
}

function isBare({ listeners, logging, loggingOverride }: NodeOverlay): boolean {
  return listeners.length + Object.keys(logging).length + Object.keys(loggingOverride).length === 0;
}

function isOfTable({ kind }: ResourceRef): boolean {
  return kind === "route" || kind === "upstream";
}

function isEmpty({ from, to }: ConfigurationChange): boolean {
  return from.routes === to.routes && from.upstreams === to.upstreams && from.listeners === to.listeners;
}

/** A node that serves nobody, such as a control plane without listeners, need not have the secrets. */
function serves({ listeners }: Configuration): boolean {
  return listeners.length > 0;
}

const keepReference: SecretResolver = (reference) => ({ ok: true, value: reference });
