import { Agent, get } from "node:http";
import type { Service } from "../../core/service.ts";

const REQUEST_TIMEOUT_MS = 2_000;
/** Requests that may wait for an answer at a time; what comes on top is not sent and counts as failed. */
const MAX_IN_FLIGHT = 50;

export interface TrickleCount {
  answered: number;
  failed: number;
}

/** A little traffic, shared evenly among the targets, and a count of what came of it. */
export class Trickle implements Service {
  readonly name = "traffic";
  readonly #targets: readonly string[];
  readonly #intervalMs: number;
  readonly #counts: readonly TrickleCount[];
  readonly #agent = new Agent({ keepAlive: true, maxSockets: MAX_IN_FLIGHT });
  #timer: NodeJS.Timeout | undefined;
  #sent = 0;
  #inFlight = 0;

  /** @param targets URLs; @param requestsPerSecond over all of them */
  constructor(targets: readonly string[], requestsPerSecond: number) {
    this.#targets = targets;
    this.#intervalMs = 1_000 / requestsPerSecond;
    this.#counts = targets.map(() => ({ answered: 0, failed: 0 }));
  }

  /** In the order of the targets. */
  counts(): readonly Readonly<TrickleCount>[] {
    return this.#counts;
  }

  async start(): Promise<void> {
    this.#timer = setInterval(() => this.#send(this.#sent++ % this.#targets.length), this.#intervalMs);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#agent.destroy();
  }

  #send(position: number): void {
    const count = this.#counts[position]!;
    if (this.#inFlight >= MAX_IN_FLIGHT) {
      count.failed += 1;
      return;
    }
    this.#inFlight += 1;
    const settle = settledOnce((answered) => {
      this.#inFlight -= 1;
      if (answered) count.answered += 1;
      else count.failed += 1;
    });
    const options = { agent: this.#agent, signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) };
    get(`${this.#targets[position]}/hello?n=${this.#sent}`, options, (response) => {
      const isSuccess = response.statusCode === 200;
      response
        .resume()
        .on("end", () => settle(isSuccess))
        .on("error", () => settle(false));
    }).on("error", () => settle(false));
  }
}

function settledOnce(settle: (answered: boolean) => void): (answered: boolean) => void {
  let open = true;
  return (answered) => {
    if (open) settle(answered);
    open = false;
  };
}
