import type { Json, JsonObject } from "../config/json.ts";
import type { Clock } from "../core/clock.ts";
import type { Logger } from "../core/ports.ts";
import type { Connection, Connector } from "./connection.ts";
import type { FromNode } from "./messages.ts";
import type { NodeOccurrence } from "./node-state.ts";
import { RPC_ERRORS } from "./rpc/json-rpc.ts";
import { RpcFailure } from "./rpc/rpc-failure.ts";
import { type CallOptions, type RpcMethod, RpcPeer } from "./rpc/rpc-peer.ts";

export interface ControlPlaneLinkOptions {
  readonly connector: Connector;
  /** What this node answers, by the whole name of the method. */
  readonly methods: Readonly<Record<string, RpcMethod>>;
  /** Told what happens on the connection of the moment, and of no other. */
  readonly happened: (occurrence: NodeOccurrence) => void;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The one connection that a node has to a control plane, or tries to have, and the remote calls on it. */
export class ControlPlaneLink {
  readonly #options: ControlPlaneLinkOptions;
  #connection: Connection | undefined;
  /** There while a control plane of ours has let the node in. */
  #rpc: RpcPeer | undefined;

  constructor(options: ControlPlaneLinkOptions) {
    this.#options = options;
  }

  /** Whether the control plane can be asked, and asks. */
  get takesCalls(): boolean {
    return this.#rpc !== undefined;
  }

  connect(address: string): void {
    const { connector, happened } = this.#options;
    const connection = connector.connect(address, {
      opened: () => isCurrent() && happened({ type: "opened" }),
      received: (message) => isCurrent() && happened({ type: "received", message }),
      closed: (reason, comeBackAfterMs) => {
        if (!isCurrent()) return;
        this.#forget();
        happened({ type: "closed", reason, comeBackAfterMs });
      },
    });
    const isCurrent = () => this.#connection === connection;
    this.#connection = connection;
  }

  disconnect(): void {
    this.#connection?.close();
    this.#forget();
  }

  send(message: FromNode): void {
    this.#connection?.send(message);
  }

  /** The control plane has let the node in, and answers the methods with these prefixes. */
  greet(rpcPrefixes: readonly string[]): void {
    const { methods, clock, logger } = this.#options;
    this.#rpc?.close();
    this.#rpc = new RpcPeer({
      methods,
      clock,
      send: (frame) => this.send({ type: "rpc", frame }),
      onFault: (method, error) => logger.error("Answering a call of the control plane failed", { method, error }),
    });
    this.#rpc.learn(rpcPrefixes);
  }

  /** @param frame of JSON-RPC, from the control plane */
  take(frame: string): void {
    this.#rpc?.receive(frame);
  }

  /** @throws RpcFailure, see RpcPeer.call */
  async call(method: string, params: JsonObject, options: CallOptions): Promise<Json> {
    if (this.#rpc === undefined)
      throw new RpcFailure({ ...RPC_ERRORS.cancelled, data: "no control plane is connected" });
    return this.#rpc.call(method, params, options);
  }

  #forget(): void {
    this.#rpc?.close();
    this.#rpc = undefined;
    this.#connection = undefined;
  }
}
