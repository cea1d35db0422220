/**
 * One side of a JSON-RPC 2.0 conversation over a channel that keeps the order of its frames. Both sides may call and notify.
 *
 * What a peer can be asked is known by the prefixes of its methods (`runway.node.v1` of `runway.node.v1.drain`), which it names
 * when it says hello; a call beyond them fails here and costs no message. Each call has a deadline. Whoever gives a call up says so
 * with the notification `rpc.cancel` (names that begin with `rpc.` are left to extensions, §4), whose handler's signal then aborts.
 */
import type { Json, JsonObject } from "../../config/json.ts";
import type { Clock } from "../../core/clock.ts";
import {
  RPC_ERRORS,
  type RpcCall,
  type RpcErrorObject,
  type RpcMessage,
  type RpcReply,
  readFrame,
  writeCall,
  writeError,
  writeResult,
} from "./json-rpc.ts";
import { errorOf, RpcFailure } from "./rpc-failure.ts";

/** Answers a call. What it throws is told by `errorOf`. */
export type RpcMethod = (params: JsonObject, signal: AbortSignal) => Json | Promise<Json>;

export interface RpcPeerOptions {
  /** What this side answers, by the whole name. */
  readonly methods: Readonly<Record<string, RpcMethod>>;
  /** Takes a frame to the other side. */
  readonly send: (frame: string) => void;
  readonly clock: Clock;
  /** Told of what a handler threw that is no failure of the table. */
  readonly onFault: (method: string, error: unknown) => void;
}

export interface CallOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

const MAX_CALLS = 64;
const MAX_ANSWERING = 64;
const MAX_BATCH = 64;
const CANCEL = "rpc.cancel";
/** No handler works longer than this on one call, whatever its caller thinks. */
const ANSWER_LIMIT_MS = 60_000;

interface OpenCall {
  readonly settle: (outcome: RpcReply["outcome"]) => void;
}

export class RpcPeer {
  readonly #options: RpcPeerOptions;
  #prefixes: readonly string[] = [];
  readonly #calls = new Map<number | string, OpenCall>();
  readonly #answering = new Map<number | string, AbortController>();
  #lastId = 0;
  #isClosed = false;

  constructor(options: RpcPeerOptions) {
    this.#options = options;
  }

  /** Of the methods that this side answers. */
  static prefixesOf(methods: Readonly<Record<string, unknown>>): string[] {
    return [...new Set(Object.keys(methods).map(prefixOf))].sort();
  }

  /** The other side has said what it can be asked. */
  learn(prefixes: readonly string[]): void {
    this.#prefixes = prefixes;
  }

  /** @throws RpcFailure when the other side cannot be asked that, answers with an error, is too late or goes away. */
  async call(method: string, params: JsonObject, { timeoutMs, signal }: CallOptions): Promise<Json> {
    if (this.#isClosed) throw new RpcFailure(cancelled("the peer is not connected"));
    if (!this.#prefixes.includes(prefixOf(method)))
      throw new RpcFailure({ ...RPC_ERRORS.methodNotFound, data: `the peer does not answer ${method}` });
    if (this.#calls.size >= MAX_CALLS)
      throw new RpcFailure({ ...RPC_ERRORS.busy, data: `${MAX_CALLS} calls are open` });
    signal?.throwIfAborted();
    const id = ++this.#lastId;
    const outcome = await this.#open(id, writeCall(method, params, id), timeoutMs, signal);
    if ("error" in outcome) throw new RpcFailure(outcome.error);
    return outcome.result;
  }

  /** Says something that has no answer. Left out where the other side would not understand it. */
  notify(method: string, params: JsonObject): void {
    if (this.#isClosed || !this.#prefixes.includes(prefixOf(method))) return;
    this.#send(writeCall(method, params));
  }

  /** Takes a frame of the other side. */
  receive(text: string): void {
    if (this.#isClosed) return;
    const { isBatch, messages } = readFrame(text, MAX_BATCH);
    if (!isBatch) {
      const answer = this.#take(messages[0]!);
      if (answer !== undefined) void answer.then((reply) => this.#send(reply));
      return;
    }
    const answers = messages.map((message) => this.#take(message)).filter((answer) => answer !== undefined);
    if (answers.length > 0) void Promise.all(answers).then((replies) => this.#send(replies));
  }

  /** The channel is gone: what is open will not be answered, and what is being answered interests nobody. */
  close(): void {
    this.#isClosed = true;
    for (const { settle } of [...this.#calls.values()]) settle({ error: cancelled("the connection ended") });
    for (const controller of this.#answering.values()) controller.abort();
  }

  #open(
    id: number,
    frame: JsonObject,
    timeoutMs: number,
    signal: AbortSignal | undefined,
  ): Promise<RpcReply["outcome"]> {
    const { promise, resolve } = Promise.withResolvers<RpcReply["outcome"]>();
    const settle = (outcome: RpcReply["outcome"]): void => {
      this.#calls.delete(id);
      cancelTimer();
      signal?.removeEventListener("abort", onAbort);
      resolve(outcome);
    };
    const giveUp = (why: string): void => {
      this.#send(writeCall(CANCEL, { id }));
      settle({ error: cancelled(why) });
    };
    const onAbort = (): void => giveUp("the caller gave it up");
    const cancelTimer = this.#options.clock.after(timeoutMs, () => giveUp(`no answer within ${timeoutMs} ms`));
    signal?.addEventListener("abort", onAbort, { once: true });
    this.#calls.set(id, { settle });
    this.#send(frame);
    return promise;
  }

  /** The answer, where one is due. */
  #take(message: RpcMessage): Promise<JsonObject> | undefined {
    switch (message.kind) {
      case "invalid":
        return Promise.resolve(writeError(message.id, message.error));
      case "reply":
        this.#calls.get(message.id ?? "")?.settle(message.outcome);
        return undefined;
      case "call":
        return this.#answer(message);
    }
  }

  #answer(call: RpcCall): Promise<JsonObject> | undefined {
    const { id, method, params } = call;
    if (method === CANCEL) {
      const which = params.id;
      if (typeof which === "string" || typeof which === "number") this.#answering.get(which)?.abort();
      return undefined;
    }
    if (id === undefined) {
      if (Object.hasOwn(this.#options.methods, method)) void this.#run(call, AbortSignal.timeout(ANSWER_LIMIT_MS));
      return undefined;
    }
    if (this.#answering.has(id))
      return Promise.resolve(writeError(id, { ...RPC_ERRORS.invalidRequest, data: "the id is in use" }));
    if (this.#answering.size >= MAX_ANSWERING) return Promise.resolve(writeError(id, RPC_ERRORS.busy));
    return this.#answerCall(call, id);
  }

  async #answerCall(call: RpcCall, id: number | string): Promise<JsonObject> {
    const controller = new AbortController();
    this.#answering.set(id, controller);
    const cancelTimer = this.#options.clock.after(ANSWER_LIMIT_MS, () => controller.abort());
    const outcome = await Promise.race([this.#run(call, controller.signal), aborted(controller.signal)]);
    cancelTimer();
    this.#answering.delete(id);
    return "error" in outcome ? writeError(id, outcome.error) : writeResult(id, outcome.result);
  }

  async #run({ method, params }: RpcCall, signal: AbortSignal): Promise<RpcReply["outcome"]> {
    const { methods, onFault } = this.#options;
    const answer = Object.hasOwn(methods, method) ? methods[method] : undefined;
    if (answer === undefined) return { error: RPC_ERRORS.methodNotFound };
    try {
      return { result: await answer(params, signal) };
    } catch (reason) {
      const error = errorOf(reason);
      if (error === RPC_ERRORS.internal) onFault(method, reason);
      return { error };
    }
  }

  #send(message: JsonObject | readonly JsonObject[]): void {
    if (!this.#isClosed) this.#options.send(JSON.stringify(message));
  }
}

function prefixOf(method: string): string {
  return method.slice(0, Math.max(0, method.lastIndexOf(".")));
}

function cancelled(data: string): RpcErrorObject {
  return { ...RPC_ERRORS.cancelled, data };
}

function aborted(signal: AbortSignal): Promise<{ readonly error: RpcErrorObject }> {
  const { promise, resolve } = Promise.withResolvers<{ readonly error: RpcErrorObject }>();
  signal.addEventListener("abort", () => resolve({ error: RPC_ERRORS.cancelled }), { once: true });
  return promise;
}
