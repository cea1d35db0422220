import type { FailureKind } from "../../core/failure.ts";
import type { Refusal } from "../../http/refusal.ts";
import type { RequestParser } from "../../http/request-parser.ts";
import type { Deadlined } from "../../http/sweep.ts";
import type { Trailers } from "../../http/trailers.ts";
import type { UpstreamChannel } from "../../http/upstream-channel.ts";
import type { CompiledRoute } from "../route/compiled-route.ts";
import type { CompiledUpstream } from "../upstream/compiled-upstream.ts";
import type { RequestQueue, Waiting } from "../upstream/resilience/request-queue.ts";
import type { RetryPolicy } from "../upstream/resilience/retry-policy.ts";
import type { Target } from "../upstream/target.ts";
import type { Gateway } from "../worker/gateway.ts";
import type { AttemptOwner, Sending } from "./attempt.ts";
import { KeptBody } from "./kept-body.ts";
import { Try, type TryOwner } from "./try.ts";

/** Who has attempts made. What it is told is about the response that is taken, or of the last failure. */
export interface AttemptsOwner extends AttemptOwner {
  /** What is sent to the target, which is asked now; undefined when the request was answered meanwhile. */
  sendingTo(target: Target): Sending | undefined;
  /** An attempt failed, and another one is made. */
  onFurtherAttempt(failure: Refusal): void;
  /** Of all that were asked, the response of this one goes to the client. */
  onTaken(target: Target): void;
  /** There is no target for the request. */
  onNoTarget(kind: FailureKind): void;
}

/** A request whose attempts these are. */
export interface Attempted {
  readonly request: RequestParser;
  readonly route: CompiledRoute;
  /** Where its upstream stands, which a change of configuration may replace meanwhile. */
  readonly place: { readonly upstream: CompiledUpstream };
  /** The address of who asks. */
  readonly client: string;
}

/**
 * Has a request answered by the targets of an upstream, one attempt after another, or some at a time, as the route's policy says.
 *
 * A further attempt is made at another target where there is one, when: the failure came before anything of a response went to the
 * client; the method may be repeated, or no target was reached; all of the body that came is still here; and the budget has room.
 * With hedging, one more target is asked when an answer is late, and the first response that is not a failure is taken. Where all
 * targets have as many connections as they may, the request waits in the upstream's queue.
 *
 * Stands in the place of the single `Attempt` of routes that ask for none of this, and is made for one request.
 */
export class Attempts implements TryOwner, Waiting, Deadlined {
  /** When some response has to have begun. */
  deadlineMs = Number.POSITIVE_INFINITY;
  readonly #owner: AttemptsOwner;
  readonly #gateway: Gateway;
  readonly #attempted: Attempted;
  readonly #policy: RetryPolicy | undefined;
  readonly #body: KeptBody;
  /** Those whose response may still be taken. */
  #open: Try[] = [];
  #taken: Try | undefined;
  readonly #tried: Target[] = [];
  #further = 0;
  /** Where it waits, if it does. */
  #queue: RequestQueue | undefined;
  #isOver = false;
  /** Whether no more of the body is to come until a target takes it. */
  #isStalled = false;
  /** Ends the pause before the next attempt. */
  #cancel = () => {};

  constructor(owner: AttemptsOwner, gateway: Gateway, attempted: Attempted) {
    this.#owner = owner;
    this.#gateway = gateway;
    this.#attempted = attempted;
    this.#policy = attempted.route.handling.retry;
    this.#body = new KeptBody(this.#policy?.maxBodyBytes ?? 0, !attempted.request.hasBody);
  }

  get isOpen(): boolean {
    return this.#taken === undefined ? !this.#isOver : this.#taken.attempt.isOpen;
  }

  begin(): void {
    this.#policy?.budget.count();
    this.#gateway.sweep.add(this);
    if (!this.#attempted.request.hasBody) this.#limit();
    if (this.#attempted.place.upstream.queue?.isEmpty === false) this.#wait();
    else if (!this.#ask()) this.#wait();
  }

  body(buffer: Buffer, start: number, end: number): void {
    this.#body.add(buffer, start, end, this.#live.length === 0);
    for (const one of this.#live) one.attempt.body(buffer, start, end);
  }

  complete(trailers: Trailers): void {
    this.#body.complete(trailers);
    if (this.#taken === undefined) this.#limit();
    for (const one of this.#live) one.attempt.complete(trailers);
  }

  /** Answers true also while there is nobody to take the body. */
  flush(): boolean {
    // A client that has nothing more to send is read on, so that it is noticed when it goes away.
    this.#isStalled = this.isOpen && this.#live.length === 0 && !this.#body.isComplete;
    let isFull = this.#isStalled;
    for (const one of this.#live) if (one.attempt.flush()) isFull = true;
    return isFull;
  }

  pause(): void {
    this.#taken?.attempt.pause();
  }

  resume(): void {
    this.#taken?.attempt.resume();
  }

  /** Gives up those that are asked now since they have failed; others may be asked. */
  fail(refusal: Refusal): void {
    for (const one of [...this.#live]) one.attempt.fail(refusal);
  }

  drop(): void {
    for (const one of this.#live) one.drop();
    this.#end();
  }

  onInterim(one: Try, channel: UpstreamChannel): void {
    if (this.#open.length === 1 && this.#open[0] === one) this.#owner.onInterimResponse(channel);
  }

  onHead(one: Try, channel: UpstreamChannel): void {
    const { status } = channel.response;
    if (this.#policy?.isFailure(status) === true && this.#goesOn(one, undefined)) {
      one.leave();
      return;
    }
    this.#taken = one;
    one.take();
    for (const other of this.#open) if (other !== one) other.drop();
    this.#open = [];
    this.#quiet();
    this.#owner.onTaken(one.target);
    if (status !== 101) this.#owner.onResponse(channel);
  }

  onTryFailed(one: Try, refusal: Refusal): void {
    if (!this.#goesOn(one, refusal)) this.#fail(one, refusal);
  }

  onRequestWritable(): void {
    this.#owner.onRequestWritable();
  }

  onTurn(): boolean {
    return this.#ask();
  }

  onWaitedTooLong(): void {
    this.#end();
    this.#owner.onNoTarget("queueTimeout");
  }

  onDeadline(): void {
    const [one] = this.#open;
    for (const other of this.#open.slice(1)) other.drop();
    if (one !== undefined) {
      one.take();
      this.#taken = one;
      this.#end();
      one.attempt.fail({ kind: "upstreamTimeout", reason: "no target answered in time" });
      return;
    }
    this.#end();
    this.#owner.onNoTarget("upstreamTimeout");
  }

  /** Those that get the request's body. */
  get #live(): readonly Try[] {
    return this.#taken === undefined ? this.#open : [this.#taken];
  }

  /**
   * Asks a target that was not tried yet, or if there is none, one that was. Answers false when all have as many connections as
   * they may.
   */
  #ask(): boolean {
    const { place, request, client } = this.#attempted;
    const { upstream } = place;
    const full: Target[] = [];
    for (;;) {
      const target =
        upstream.choose(request, client, [...full, ...this.#tried]) ?? upstream.choose(request, client, full);
      if (target === undefined) {
        if (full.length > 0) return false;
        this.#end();
        this.#owner.onNoTarget(upstream.refusal);
        return true;
      }
      if (this.#askOne(target)) return true;
      full.push(target);
    }
  }

  #askOne(target: Target): boolean {
    const sending = this.#owner.sendingTo(target);
    if (sending === undefined) {
      target.released();
      this.#end();
      return true;
    }
    const one = new Try(this, this.#owner, target, this.#policy?.perTryMs ?? 0, this.#gateway);
    if (!one.begin(sending)) return false;
    this.#tried.push(target);
    this.#open.push(one);
    this.#body.replay(one.attempt);
    if (this.#isStalled) this.#owner.onRequestWritable();
    this.#isStalled = false;
    this.#hedge();
    return true;
  }

  #hedge(): void {
    const { hedgeDelayMs, maxFurther = 0 } = this.#policy ?? {};
    if (hedgeDelayMs === undefined || this.#further >= maxFurther) return;
    this.#cancel();
    this.#cancel = this.#gateway.clock.after(hedgeDelayMs, () => {
      if (this.#mayFollow(undefined)) this.#guarded(() => void this.#ask());
    });
  }

  /** After an attempt has failed, or was answered with a failure: whether another one is under way or about to be. */
  #goesOn(one: Try, refusal: Refusal | undefined): boolean {
    const others = this.#open.filter((other) => other !== one);
    if (others.length === 0 && !this.#mayFollow(refusal)) return false;
    this.#open = others;
    if (refusal !== undefined) this.#owner.onFurtherAttempt(refusal);
    if (others.length === 0) this.#pauseAndAsk(one);
    return true;
  }

  #mayFollow(refusal: Refusal | undefined): boolean {
    const { method } = this.#attempted.request;
    const policy = this.#policy;
    if (policy === undefined || this.#isOver || !this.#body.isWhole) return false;
    return policy.mayFollow(refusal?.kind, method) && this.#takeFurther();
  }

  #takeFurther(): boolean {
    const policy = this.#policy;
    if (policy === undefined || this.#further >= policy.maxFurther) return false;
    const { cells } = this.#gateway;
    const { slot } = this.#attempted.route;
    if (!policy.budget.take()) {
      cells.addTo(slot, "retriesRefused", 1);
      return false;
    }
    cells.addTo(slot, "retries", 1);
    this.#further++;
    return true;
  }

  #pauseAndAsk(failed: Try): void {
    this.#cancel();
    const policy = this.#policy!;
    const pauseMs = policy.hedgeDelayMs === undefined ? policy.pauseMs(this.#further, Math.random()) : 0;
    const ask = () => {
      if (this.#isOver || this.#ask()) return;
      this.#fail(failed, { kind: "upstreamFull", reason: "all targets have as many connections as they may have" });
    };
    this.#cancel = this.#gateway.clock.after(pauseMs, () => this.#guarded(ask));
  }

  #wait(): void {
    this.#queue = this.#attempted.place.upstream.queue;
    if (this.#queue?.enter(this) === true) return;
    this.#end();
    this.#owner.onNoTarget("upstreamFull");
  }

  #fail(one: Try, refusal: Refusal): void {
    this.#end();
    this.#owner.onAttemptFailed(one.attempt, refusal);
  }

  /** From here on a response has to begin in time, however many attempts it takes. */
  #limit(): void {
    this.deadlineMs = this.#gateway.sweep.in(this.#attempted.route.handling.requestMs);
  }

  #quiet(): void {
    this.#cancel();
    this.#gateway.sweep.delete(this);
    this.#queue?.leave(this);
    this.#body.forget();
  }

  #end(): void {
    this.#isOver = true;
    this.#open = [];
    this.#quiet();
  }

  /** For what happens outside of the callbacks of a connection. */
  #guarded(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.#owner.onFault(error);
    }
  }
}
