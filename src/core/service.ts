/** Something that runs from `start` until `stop`. Constructors store, `start` does, `stop` finishes. */
export interface Service {
  readonly name: string;
  start(): Promise<void>;
  /** Finishes work in flight until `deadline` aborts, then drops the rest. Safe to call twice. */
  stop(deadline: AbortSignal): Promise<void>;
}

/** Starts services in order and stops them in reverse; a start that fails undoes those before it. */
export class ServiceGroup implements Service {
  readonly name: string;
  readonly #services: readonly Service[];
  #started: Service[] = [];

  constructor(name: string, services: readonly Service[]) {
    this.name = name;
    this.#services = services;
  }

  async start(): Promise<void> {
    for (const service of this.#services) {
      try {
        await service.start();
        this.#started.push(service);
      } catch (error) {
        await this.stop(AbortSignal.timeout(5_000)).catch(() => {});
        throw error;
      }
    }
  }

  /** @throws AggregateError with every failure, after all services were told to stop. */
  async stop(deadline: AbortSignal): Promise<void> {
    const failures: unknown[] = [];
    for (const service of this.#started.splice(0).reverse()) {
      try {
        await service.stop(deadline);
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw new AggregateError(failures, `${this.name} did not stop cleanly`);
  }
}
