import { randomUUID } from "node:crypto";
import type { BoardCall, CallBoard } from "../../config/call-board.ts";
import type { Json, JsonObject } from "../../config/json.ts";
import type { Clock } from "../../core/clock.ts";
import type { Logger } from "../../core/ports.ts";
import type { Service } from "../../core/service.ts";
import { RPC_ERRORS, type RpcErrorObject } from "../../sync/rpc/json-rpc.ts";
import { errorOf, RpcFailure } from "../../sync/rpc/rpc-failure.ts";
import type { CallOptions } from "../../sync/rpc/rpc-peer.ts";

/** Calls a node that is connected here. */
type CallHere = (nodeId: string, method: string, params: JsonObject, options: CallOptions) => Promise<Json>;

export interface CallExchangeOptions {
  readonly board: CallBoard;
  readonly controlPlaneId: string;
  readonly callHere: CallHere;
  readonly clock: Clock;
  readonly logger: Logger;
}

interface Question {
  readonly nodeId: string;
  readonly method: string;
  readonly params: JsonObject;
}

type Answer = { readonly result: Json } | { readonly error: RpcErrorObject };

/** How often to look without having been told, as behind a connection pooler: sooner while an answer is waited for. */
const WAITING_LOOK_MS = 100;
const IDLE_LOOK_MS = 500;
const MAX_CALLS = 64;
const MAX_SERVING = 64;
const MAX_QUESTION_CHARACTERS = 65_536;
const MAX_ANSWER_CHARACTERS = 1 << 20;

/** Has other control planes on the store call their nodes, and calls the own nodes for them. */
export class CallExchange implements Service {
  readonly name = "call exchange";
  readonly #options: CallExchangeOptions;
  readonly #waiting = new Map<string, (answer: Answer) => void>();
  #serving = 0;
  #isRunning = false;
  #stopWatching: () => void = () => {};
  #cancelLook: () => void = () => {};
  #looking: Promise<void> | undefined;
  #lookAgain = false;

  constructor(options: CallExchangeOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    const { board, controlPlaneId } = this.#options;
    this.#isRunning = true;
    this.#stopWatching = board.watch(controlPlaneId, () => this.#look());
    this.#look();
  }

  async stop(): Promise<void> {
    this.#isRunning = false;
    this.#stopWatching();
    this.#cancelLook();
    for (const settle of [...this.#waiting.values()]) settle({ error: cancelled("the control plane is stopping") });
    await this.#looking;
  }

  /**
   * Has the control plane `to` call its node.
   * @throws RpcFailure, as if the node had been called from here; RunwayError overloaded, storeUnavailable
   */
  async call(to: string, question: Question, { timeoutMs }: CallOptions): Promise<Json> {
    const { board, controlPlaneId: from, clock } = this.#options;
    if (this.#waiting.size >= MAX_CALLS)
      throw new RpcFailure({ ...RPC_ERRORS.busy, data: `${MAX_CALLS} calls are open` });
    const text = JSON.stringify(question);
    if (text.length > MAX_QUESTION_CHARACTERS) throw new RpcFailure(RPC_ERRORS.invalidParams);
    const id = randomUUID();
    const { promise, resolve } = Promise.withResolvers<Answer>();
    this.#waiting.set(id, resolve);
    const cancel = clock.after(timeoutMs, () => resolve({ error: cancelled(`no answer within ${timeoutMs} ms`) }));
    try {
      await board.put({ id, from, to, timeLeftMs: timeoutMs, text });
      this.#look();
      const answer = await promise;
      if ("error" in answer) throw new RpcFailure(answer.error);
      return answer.result;
    } finally {
      cancel();
      this.#waiting.delete(id);
      // What is answered is gone from the board already.
      void board.withdraw(id).catch(() => {});
    }
  }

  /** One look at a time; who wants another meanwhile gets it afterwards. */
  #look(): void {
    this.#cancelLook();
    if (!this.#isRunning) return;
    if (this.#looking !== undefined) {
      this.#lookAgain = true;
      return;
    }
    this.#lookAgain = false;
    this.#looking = this.#lookOnce()
      // The store being away is told elsewhere.
      .catch((error: unknown) => this.#options.logger.debug("Calls of other control planes cannot be seen", { error }))
      .finally(() => {
        this.#looking = undefined;
        if (this.#lookAgain) this.#look();
        else this.#lookLater();
      });
  }

  #lookLater(): void {
    const delayMs = this.#waiting.size > 0 ? WAITING_LOOK_MS : IDLE_LOOK_MS;
    if (this.#isRunning) this.#cancelLook = this.#options.clock.after(delayMs, () => this.#look());
  }

  async #lookOnce(): Promise<void> {
    const { board, controlPlaneId } = this.#options;
    for (const call of await board.take(controlPlaneId)) void this.#serve(call);
    if (this.#waiting.size === 0) return;
    for (const { id, text } of await board.collect(controlPlaneId)) this.#waiting.get(id)?.(JSON.parse(text) as Answer);
  }

  async #serve(call: BoardCall): Promise<void> {
    const { board, logger } = this.#options;
    const text = JSON.stringify(await this.#answerTo(call));
    const fits = text.length <= MAX_ANSWER_CHARACTERS;
    const tooLong: Answer = { error: { ...RPC_ERRORS.internal, data: "the answer is too long to be handed on" } };
    await board
      .answer({ id: call.id, text: fits ? text : JSON.stringify(tooLong) })
      .catch((error: unknown) => logger.warn("A call of another control plane could not be answered", { error }));
  }

  async #answerTo({ text, timeLeftMs }: BoardCall): Promise<Answer> {
    if (this.#serving >= MAX_SERVING) return { error: RPC_ERRORS.busy };
    this.#serving++;
    try {
      const { nodeId, method, params } = JSON.parse(text) as Question;
      return { result: await this.#options.callHere(nodeId, method, params, { timeoutMs: Math.max(1, timeLeftMs) }) };
    } catch (error) {
      return { error: errorOf(error) };
    } finally {
      this.#serving--;
    }
  }
}

function cancelled(data: string): RpcErrorObject {
  return { ...RPC_ERRORS.cancelled, data };
}
