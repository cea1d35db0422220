import { toConfiguration } from "../../config/compile.ts";
import type { Configuration } from "../../config/configuration.ts";
import type { Language } from "../../config/language.ts";
import { type NodeOverlay, overlayNode } from "../../config/overlay.ts";
import { type Checked, checked, refused } from "../../config/problem.ts";
import type { Resource } from "../../config/resource.ts";
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
  #live: Configuration | undefined;
  #running: readonly Resource[] | undefined;
  #shown: Configuration | undefined;
  #drainingSince: number | undefined;

  constructor(options: GatewayOptions) {
    this.#options = options;
  }

  get supervisor(): Supervisor | undefined {
    return this.#options.supervisor;
  }

  /** What runs now; secrets are resolved in it, so it is not for showing. */
  get live(): Configuration | undefined {
    return this.#live;
  }

  /** What runs now, with secret references as they were written. */
  get shown(): Configuration | undefined {
    this.#shown ??= this.#compileForShowing();
    return this.#shown;
  }

  /** Milliseconds since 1970. */
  get drainingSince(): number | undefined {
    return this.#drainingSince;
  }

  async start(): Promise<void> {
    await this.#options.supervisor?.start();
  }

  async stop(deadline: AbortSignal): Promise<void> {
    await this.#options.supervisor?.stop(deadline);
  }

  drain(): void {
    this.#drainingSince ??= this.#options.clock.now();
    this.#tellWorkers(this.#options.supervisor?.drain());
  }

  undrain(): void {
    this.#drainingSince = undefined;
    this.#tellWorkers(this.#options.supervisor?.undrain());
  }

  /** Made when somebody asks, since most configurations are replaced without having been looked at. */
  #compileForShowing(): Configuration | undefined {
    if (this.#running === undefined) return undefined;
    const configuration = toConfiguration(this.#options.language, this.#running, { resolveSecret: keepReference });
    return configuration.ok ? configuration.value : undefined;
  }

  /** Being ready or not does not wait for the workers; one that cannot be told is being replaced. */
  #tellWorkers(told: Promise<void> | undefined): void {
    told?.catch((error: unknown) => this.#options.logger.warn("A worker could not be told to drain", { error }));
  }

  /** Shape, meaning and secrets, then everything that can fail in the workers. Problems mean that nothing has changed. */
  async prepare(resources: readonly Resource[]): Promise<Checked<PreparedChange>> {
    const { language, clock, overlay, resolveSecret, supervisor } = this.#options;
    const startedAt = clock.monotonicMs();
    const own = overlayNode(resources, overlay);
    // A node that serves nobody, such as a control plane without listeners, need not have the secrets.
    const serves = own.some(({ kind }) => kind === "listener");
    let hasSecrets = false;
    const configuration = toConfiguration(language, own, {
      resolveSecret(reference) {
        hasSecrets = true;
        return serves ? resolveSecret(reference) : keepReference(reference);
      },
    });
    if (!configuration.ok) return configuration;
    const validate = clock.monotonicMs() - startedAt;
    const goLive = () => {
      this.#live = configuration.value;
      this.#shown = hasSecrets ? undefined : configuration.value;
      this.#running = own;
      this.#options.onApplied(configuration.value);
    };
    try {
      const prepared = await supervisor?.prepare(configuration.value);
      return checked({
        async commit() {
          const timings = await prepared?.commit();
          goLive();
          return { validate, ...timings };
        },
        async abort() {
          await prepared?.abort();
        },
      });
    } catch (error) {
      if (error instanceof ConfigurationRefused) return refused(error.problems);
      throw error;
    }
  }
}

const keepReference: SecretResolver = (reference) => ({ ok: true, value: reference });
