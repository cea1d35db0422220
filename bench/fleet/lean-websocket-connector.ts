import type { TLSSocket } from "node:tls";
import { type RawData, WebSocket } from "ws";
import type { Connection, ConnectionEvents, Connector } from "../../src/sync/connection.ts";
import type { FromNode } from "../../src/sync/messages.ts";
import { decodeFromControlPlane, encodeFromNode } from "../../src/sync/websocket/json-codec.ts";
import { SUBPROTOCOL, WEBSOCKET_PATH } from "../../src/sync/websocket/protocol.ts";
import type { NodeDialer } from "./node-dialer.ts";
import type { SharedWork } from "./shared-work.ts";

/** WebSocket of a simulated node: as a real one's, and what all nodes are sent is decoded once. */
export class LeanWebSocketConnector implements Connector {
  readonly #dialer: NodeDialer;
  readonly #work: SharedWork;

  constructor(dialer: NodeDialer, work: SharedWork) {
    this.#dialer = dialer;
    this.#work = work;
  }

  connect(address: string, events: ConnectionEvents): Connection {
    const connection = new LeanWebSocketConnection(events, this.#work);
    this.#dialer.dial(address, "http/1.1").then(
      (socket) => connection.open(address, socket),
      (error: Error) => connection.fail(error.message),
    );
    return connection;
  }
}

/** The error with which a control plane ends a stream. */
interface Farewell {
  readonly error?: { readonly data?: { readonly comeBackAfterMs?: number } };
}

class LeanWebSocketConnection implements Connection {
  readonly #events: ConnectionEvents;
  readonly #work: SharedWork;
  #socket: WebSocket | undefined;
  #farewell: { readonly comeBackAfterMs?: number } = {};
  #isOver = false;

  constructor(events: ConnectionEvents, work: SharedWork) {
    this.#events = events;
    this.#work = work;
  }

  open(address: string, tls: TLSSocket): void {
    if (this.#isOver) {
      tls.destroy();
      return;
    }
    const socket = new WebSocket(`ws://${address}${WEBSOCKET_PATH}`, SUBPROTOCOL, {
      createConnection: () => tls,
      perMessageDeflate: false,
    });
    this.#socket = socket;
    socket.on("open", () => this.#isOver || this.#events.opened());
    socket.on("message", (data: RawData) => this.#received(data as Buffer));
    socket.on("error", (error) => this.fail(error.message));
    socket.on("close", (code, reason) => this.fail(`${code} ${reason}`, this.#farewell.comeBackAfterMs));
  }

  send(message: FromNode): void {
    if (!this.#isOver) this.#socket?.send(encodeFromNode(message));
  }

  close(): void {
    this.#isOver = true;
    this.#socket?.terminate();
  }

  fail(reason: string, comeBackAfterMs?: number): void {
    if (this.#isOver) return;
    this.close();
    queueMicrotask(() => this.#events.closed(reason, comeBackAfterMs));
  }

  #received(bytes: Buffer): void {
    if (this.#isOver) return;
    const message = this.#work.decode(bytes, (text) => decodeFromControlPlane(text.toString()));
    if (message?.type === "rpc") this.#farewell = (JSON.parse(message.frame) as Farewell).error?.data ?? this.#farewell;
    if (message !== undefined) this.#events.received(message);
  }
}
