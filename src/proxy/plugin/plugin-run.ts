import type { FailureKind } from "../../core/failure.ts";
import { type Answer, isAnswer, refuse } from "../../sdk/answer.ts";
import type { HeaderFields } from "../../sdk/header-fields.ts";
import type { Identity, Outcome, Said } from "../../sdk/plugin.ts";
import { type Consumer, RequestContext, type RequestSource } from "../../sdk/request-context.ts";
import type { ResponseContext } from "../../sdk/response-context.ts";
import type { Pipeline } from "./pipeline.ts";
import type { PluginRuntime } from "./plugin-runtime.ts";
import type { PluginInstance } from "./plugin-set.ts";

/** What the plugins say to a request: it may go on, they are not done, its whole body has to be there first, or an answer. */
export type Verdict = "pass" | "wait" | "body" | Answer;

/** Whom a request waits with. */
export interface VerdictReceiver {
  /** Told once after each "wait". */
  onVerdict(verdict: Verdict): void;
}

const NO_CLAIMS: Consumer["claims"] = Object.freeze({});
const DEFAULT_TIMEOUT_MS = 10_000;
const DEFAULT_MAX_BODY_BYTES = 1_048_576;

/**
 * The plugins of one request: down the list until one answers, up again with the response. Whatever a plugin does wrong
 * ends here, as a failure of this one request that is logged with the plugin's name.
 */
export class PluginRun {
  readonly request: RequestContext;
  readonly #pipeline: Pipeline;
  readonly #runtime: PluginRuntime;
  readonly #receiver: VerdictReceiver;
  /** The next of `pipeline.asking`. */
  #next = 0;
  /** The next of `pipeline.responding`. */
  #up = 0;
  /** How far down the list the request came, as a position. */
  #reached = -1;
  /** Distinguishes the promise that is waited for from those that came too late. */
  #turn = 0;
  #isOver = false;
  #response: ResponseContext | undefined;

  constructor(pipeline: Pipeline, runtime: PluginRuntime, source: RequestSource, receiver: VerdictReceiver) {
    this.#pipeline = pipeline;
    this.#runtime = runtime;
    this.#receiver = receiver;
    this.request = new RequestContext(source);
  }

  /** Runs the hooks for the request, from where they stopped. */
  advance(): Verdict {
    const { asking, gate } = this.#pipeline;
    while (this.#next < asking.length) {
      const position = asking[this.#next]!;
      const instance = this.#instance(position);
      if (instance?.plugin.needs?.requestBody !== undefined && this.request.body === undefined) return "body";
      this.#reached = position;
      const isGate = this.#next++ === gate;
      const verdict = instance === undefined ? "pass" : this.#ask(instance);
      if (verdict !== "pass") return verdict;
      if (isGate && this.#isStranger) return this.#turnAway();
    }
    this.#reached = this.#pipeline.choices.length - 1;
    return "pass";
  }

  /** The largest body that whoever waits for it takes. */
  get maxBodyBytes(): number {
    const position = this.#pipeline.asking[this.#next];
    const instance = position === undefined ? undefined : this.#instance(position);
    return instance?.plugin.needs?.maxBodyBytes ?? DEFAULT_MAX_BODY_BYTES;
  }

  /** What the plugins change about a try. An answer means that one of them failed. */
  prepareTry(target: string): HeaderFields | Answer {
    const { request } = this;
    const { trying } = this.#pipeline;
    if (trying.length === 0) return request.headers;
    const headers = request.headers.copy();
    for (const position of trying) {
      const instance = this.#instance(position);
      try {
        instance?.hooks.onUpstreamRequest?.(request, { target, headers });
      } catch (error) {
        return this.#failed(instance!, error);
      }
    }
    return headers;
  }

  /** Whether any of them looks at responses. */
  get watchesResponses(): boolean {
    return this.#pipeline.responding.length > 0;
  }

  /**
   * Shows a response to those whom the request has met and who have not seen one yet. An answer takes its place: one of them failed,
   * and the others have yet to see that.
   */
  respond(response: ResponseContext): Answer | undefined {
    const { responding } = this.#pipeline;
    this.#response = response;
    while (this.#up < responding.length) {
      const position = responding[this.#up++]!;
      if (position > this.#reached) continue;
      const instance = this.#instance(position);
      try {
        instance?.hooks.onResponse?.(this.request, response);
      } catch (error) {
        return this.#failed(instance!, error);
      }
    }
    return undefined;
  }

  /** The request is over; promises that are still going on are of no consequence any more. */
  finish(outcome: Outcome): void {
    if (this.#isOver) return;
    this.#isOver = true;
    for (const position of this.#pipeline.logging) {
      if (position > this.#reached) break;
      const instance = this.#instance(position);
      try {
        instance?.hooks.onLog?.(this.request, outcome);
      } catch (error) {
        this.#failed(instance!, error);
      }
    }
    this.request.close();
    this.#response?.close();
  }

  get #isStranger(): boolean {
    return this.request.consumer === undefined && this.#pipeline.auth.required;
  }

  #turnAway(): Answer {
    const { challenges } = this.#pipeline;
    return refuse("consumerUnknown", challenges.length === 0 ? {} : { headers: { "WWW-Authenticate": challenges } });
  }

  #instance(position: number): PluginInstance | undefined {
    return this.#pipeline.instance(position, this.request.consumer?.id);
  }

  #ask(instance: PluginInstance): Verdict {
    const { onRequest, authenticate } = instance.hooks;
    const asksWho = authenticate !== undefined && this.request.consumer === undefined;
    try {
      const said =
        asksWho && this.#pipeline.mayAuthenticate(instance)
          ? instance.hooks.authenticate?.(this.request)
          : onRequest === undefined || authenticate !== undefined
            ? undefined
            : instance.hooks.onRequest?.(this.request);
      return isPromise(said) ? this.#wait(instance, said) : this.#judge(instance, said);
    } catch (error) {
      return this.#failed(instance, error);
    }
  }

  #judge(instance: PluginInstance, said: Said<Answer | Identity>): Verdict {
    if (said === undefined) return "pass";
    if (isAnswer(said)) return said;
    if (instance.hooks.authenticate === undefined || !isIdentity(said))
      return this.#failed(instance, new TypeError("it answered what is neither an answer nor undefined"));
    this.request.consumer = { id: said.id, authenticatedBy: instance.plugin.name, claims: said.claims ?? NO_CLAIMS };
    return "pass";
  }

  #wait(instance: PluginInstance, promise: Promise<Said<Answer | Identity>>): Verdict {
    const turn = ++this.#turn;
    const isGate = this.#next - 1 === this.#pipeline.gate;
    const goOn = (judge: () => Verdict) => {
      if (this.#isOver || turn !== this.#turn) return;
      this.#turn++;
      cancel();
      const verdict = judge();
      const isTurnedAway = verdict === "pass" && isGate && this.#isStranger;
      this.#receiver.onVerdict(verdict !== "pass" ? verdict : isTurnedAway ? this.#turnAway() : this.advance());
    };
    const limitMs = instance.plugin.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    const cancel = this.#runtime.clock.after(limitMs, () =>
      goOn(() => this.#failed(instance, new Error(`it did not answer within ${limitMs} ms`), "pluginTimeout")),
    );
    promise.then(
      (said) => goOn(() => this.#judge(instance, said)),
      (error: unknown) => goOn(() => this.#failed(instance, error)),
    );
    return "wait";
  }

  /** Logs what a plugin did wrong; clients are told no more than that there was something. */
  #failed({ plugin, place }: PluginInstance, error: unknown, kind: FailureKind = "pluginFailed"): Answer {
    this.#runtime.logger.error("A plugin failed a request", {
      ...{ plugin: plugin.name, place },
      ...(this.#isOver ? {} : { route: this.request.routeId, request_id: this.request.requestId }),
      reason: error instanceof Error ? (error.stack ?? error.message) : String(error),
    });
    return refuse(kind);
  }
}

function isPromise<Value>(value: Value | Promise<Value>): value is Promise<Value> {
  return typeof value === "object" && value !== null && typeof (value as Promise<Value>).then === "function";
}

function isIdentity(value: unknown): value is Identity {
  return typeof value === "object" && value !== null && typeof (value as Identity).id === "string";
}
