import type { RequestChannel } from "../../http/request-channel.ts";
import { type Answer, isAnswer } from "../../sdk/answer.ts";
import type { RequestSource } from "../../sdk/request-context.ts";
import type { Pipeline } from "../plugin/pipeline.ts";
import { PluginRun, type Verdict } from "../plugin/plugin-run.ts";
import type { PluginRuntime } from "../plugin/plugin-runtime.ts";
import { HeldBody } from "./held-body.ts";

export interface PluginGateOwner {
  /** The request may go on, with what came of its body meanwhile, if it had to wait. */
  onPassed(held: HeldBody | undefined): void;
  onAnswered(answer: Answer): void;
  /** The body is larger than a plugin that wants to see it takes. */
  onTooLarge(): void;
  onFault(error: unknown): void;
}

/**
 * The way of one request past the plugins of its route. They may answer it, need time, or need all of its body first; what arrives
 * of the body meanwhile is held, and the client is paused while nobody asked for it.
 */
export class PluginGate {
  readonly run: PluginRun;
  readonly #client: RequestChannel;
  readonly #owner: PluginGateOwner;
  #held: HeldBody | undefined;

  constructor(
    pipeline: Pipeline,
    runtime: PluginRuntime,
    source: RequestSource,
    client: RequestChannel,
    owner: PluginGateOwner,
  ) {
    this.#client = client;
    this.#owner = owner;
    this.run = new PluginRun(pipeline, runtime, source, (verdict) => this.#followLater(verdict));
  }

  ask(): void {
    this.#follow(this.run.advance());
  }

  body(buffer: Buffer, start: number, end: number): void {
    this.#held?.add(buffer, start, end);
    if (this.#held?.isTooLarge === true) this.#owner.onTooLarge();
  }

  complete(): void {
    const held = this.#held;
    if (held === undefined) return;
    held.isComplete = true;
    if (!held.isGathered) return;
    held.isGathered = false;
    this.run.request.body = held.whole();
    this.ask();
  }

  #follow(verdict: Verdict): void {
    if (isAnswer(verdict)) this.#owner.onAnswered(verdict);
    else if (verdict === "pass") this.#owner.onPassed(this.#held);
    else this.#hold(verdict);
  }

  #followLater(verdict: Verdict): void {
    try {
      this.#follow(verdict);
    } catch (error) {
      this.#owner.onFault(error);
    }
  }

  #hold(reason: "wait" | "body"): void {
    this.#held ??= new HeldBody(!this.#client.request.hasBody);
    if (reason === "body") this.#gather(this.#held);
    else if (!this.#held.isComplete) this.#client.pause();
  }

  #gather(held: HeldBody): void {
    const client = this.#client;
    held.maxBytes = this.run.maxBodyBytes;
    held.isGathered = true;
    if (held.isTooLarge || client.request.contentLength > held.maxBytes) this.#owner.onTooLarge();
    else if (held.isComplete) this.complete();
    else {
      client.resume();
      if (client.request.expectsContinue) client.askForBody();
      client.writer.flush();
    }
  }
}
