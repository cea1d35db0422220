import type { RequestChannel } from "../../http/request-channel.ts";
import type { Answer } from "../../sdk/answer.ts";
import type { PluginRun, Verdict, VerdictReceiver } from "../plugin/plugin-run.ts";
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
 * Where requests stand until the plugins of their route let them pass. They may answer a request, need time, or need all of its body
 * first; what arrives of the body meanwhile is held, and the client is paused while nobody asked for it. One object serves all
 * requests of a channel, one after another.
 */
export class PluginGate implements VerdictReceiver {
  readonly #client: RequestChannel;
  readonly #owner: PluginGateOwner;
  /** Undefined while no request stands here. */
  #run: PluginRun | undefined;
  #held: HeldBody | undefined;

  constructor(client: RequestChannel, owner: PluginGateOwner) {
    this.#client = client;
    this.#owner = owner;
  }

  /** Whether a request stands here. */
  get isShut(): boolean {
    return this.#run !== undefined;
  }

  /** A request comes, which these plugins are asked about. */
  ask(run: PluginRun): void {
    this.#run = run;
    this.#follow(run.advance());
  }

  /** The request that stands here is gone. */
  clear(): void {
    this.#run = undefined;
    this.#held = undefined;
  }

  body(buffer: Buffer, start: number, end: number): void {
    this.#held?.add(buffer, start, end);
    if (this.#held?.isTooLarge === true) this.#owner.onTooLarge();
  }

  complete(): void {
    const held = this.#held;
    if (held === undefined || this.#run === undefined) return;
    held.isComplete = true;
    if (!held.isGathered) return;
    held.isGathered = false;
    this.#run.request.body = held.whole();
    this.#follow(this.#run.advance());
  }

  onVerdict(verdict: Verdict): void {
    try {
      this.#follow(verdict);
    } catch (error) {
      this.#owner.onFault(error);
    }
  }

  #follow(verdict: Verdict): void {
    if (verdict === "wait" || verdict === "body") {
      this.#hold(verdict);
      return;
    }
    const held = this.#held;
    this.clear();
    if (verdict === "pass") this.#owner.onPassed(held);
    else this.#owner.onAnswered(verdict);
  }

  #hold(reason: "wait" | "body"): void {
    this.#held ??= new HeldBody(!this.#client.request.hasBody);
    if (reason === "body") this.#gather(this.#held);
    else if (!this.#held.isComplete) this.#client.pause();
  }

  #gather(held: HeldBody): void {
    const client = this.#client;
    held.maxBytes = this.#run!.maxBodyBytes;
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
