import { WebSocket } from "ws";
import type { Clock } from "../../core/clock.ts";
import { formatAddress, parseAddress } from "../address.ts";
import type { Connection, ConnectionEvents, Connector } from "../connection.ts";
import { LIMITS } from "../limits.ts";
import type { FromNode } from "../messages.ts";
import type { MutualTls } from "../mutual-tls.ts";
import { describeTlsFailure } from "../tls-failure.ts";
import { decodeFromControlPlane, encodeFromNode } from "./json-codec.ts";
import { keepAlive } from "./keepalive.ts";
import { HELLO_ID, KEEPALIVE, SUBPROTOCOL, WEBSOCKET_PATH } from "./protocol.ts";

/** Octets that may wait to be sent before heartbeats are left out. */
const CONGESTION_BYTES = 65_536;

export interface WebSocketConnectorOptions {
  readonly tls: MutualTls;
  readonly clock: Clock;
}

/** The error with which a control plane ends a stream, as far as a node looks at it. */
interface Farewell {
  readonly message?: unknown;
  readonly data?: { readonly comeBackAfterMs?: unknown };
}

/** Connects a data plane over WebSocket with mutual TLS. */
export class WebSocketConnector implements Connector {
  readonly #options: WebSocketConnectorOptions;

  constructor(options: WebSocketConnectorOptions) {
    this.#options = options;
  }

  connect(address: string, events: ConnectionEvents): Connection {
    const connection = new WebSocketConnection(events, this.#options.clock);
    this.#open(address, connection).catch((error: unknown) => connection.fail(describeTlsFailure(error as Error)));
    return connection;
  }

  /** The socket is secured before HTTP begins on it, so that a refused certificate is told as such. */
  async #open(address: string, connection: WebSocketConnection): Promise<void> {
    const socket = await this.#options.tls.dial(address, "http/1.1", connection.given);
    if (connection.given.aborted) {
      socket.destroy();
      return;
    }
    const authority = formatAddress(parseAddress(address));
    connection.open(
      new WebSocket(`ws://${authority}${WEBSOCKET_PATH}`, SUBPROTOCOL, {
        createConnection: () => socket,
        perMessageDeflate: false,
        maxPayload: LIMITS.messageBytes,
      }),
    );
  }
}

class WebSocketConnection implements Connection {
  readonly #events: ConnectionEvents;
  readonly #clock: Clock;
  readonly #givingUp = new AbortController();
  #socket: WebSocket | undefined;
  #endKeepalive = (): void => {};
  /** Why the control plane ended it, in full, and when it wants to be tried again. */
  #reason = "";
  #comeBackAfterMs: number | undefined;
  #isOver = false;

  constructor(events: ConnectionEvents, clock: Clock) {
    this.#events = events;
    this.#clock = clock;
  }

  /** Aborts when the connection is not wanted any more. */
  get given(): AbortSignal {
    return this.#givingUp.signal;
  }

  open(socket: WebSocket): void {
    this.#socket = socket;
    socket.on("open", () => {
      this.#endKeepalive = keepAlive(socket, this.#clock, KEEPALIVE.dataPlane);
      if (!this.#isOver) this.#events.opened();
    });
    socket.on("message", (data) => this.#received(String(data)));
    socket.on("error", (error: NodeJS.ErrnoException) => this.fail(describeTlsFailure(error)));
    socket.on("close", (_code, reason) =>
      this.fail(this.#reason || String(reason) || "the control plane closed the connection"),
    );
  }

  send(message: FromNode): void {
    const socket = this.#socket;
    if (this.#isOver || socket === undefined) return;
    // A heartbeat says nothing that the next one does not.
    if (message.type === "heartbeat" && socket.bufferedAmount > CONGESTION_BYTES) return;
    socket.send(encodeFromNode(message), () => {});
  }

  close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#release();
  }

  /** Later than now, so that whoever connects has its connection before it hears of the failure. */
  fail(reason: string): void {
    if (this.#isOver) return;
    this.close();
    queueMicrotask(() => this.#events.closed(reason, this.#comeBackAfterMs));
  }

  #received(text: string): void {
    if (this.#isOver) return;
    try {
      const message = decodeFromControlPlane(text);
      if (message?.type === "rpc" && this.#isFarewell(message.frame)) return;
      if (message !== undefined) this.#events.received(message);
    } catch (error) {
      this.fail(`the control plane sent what cannot be read: ${(error as Error).message}`);
    }
  }

  /** The error that answers the hello, however late, is why the connection is about to be closed. */
  #isFarewell(frame: string): boolean {
    const { id, error } = JSON.parse(frame) as { id?: unknown; error?: Farewell };
    if (id !== HELLO_ID || error === undefined) return false;
    this.#reason = String(error.message);
    const { comeBackAfterMs } = error.data ?? {};
    if (typeof comeBackAfterMs === "number") this.#comeBackAfterMs = comeBackAfterMs;
    return true;
  }

  #release(): void {
    this.#endKeepalive();
    this.#givingUp.abort();
    this.#socket?.terminate();
  }
}
