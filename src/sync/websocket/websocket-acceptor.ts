import { createServer, type IncomingMessage, type Server } from "node:http";
import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import { type WebSocket, WebSocketServer } from "ws";
import type { Clock } from "../../core/clock.ts";
import type { Logger } from "../../core/ports.ts";
import type { Acceptor, EndableStream, StreamSink } from "../connection.ts";
import { limitLife } from "../limit-life.ts";
import { LIMITS } from "../limits.ts";
import { SUBPROTOCOL, WEBSOCKET_PATH } from "./protocol.ts";
import { WebSocketNodeStream } from "./websocket-node-stream.ts";

export interface WebSocketAcceptorOptions {
  readonly fleet: StreamSink;
  readonly clock: Clock;
  readonly logger: Logger;
}

const REQUEST_LIMIT_MS = 10_000;

/** Takes the connections of nodes that speak WebSocket. Other requests are answered with what to do instead. */
export class WebSocketAcceptor implements Acceptor {
  readonly protocol = "http/1.1";
  readonly streams = new Set<EndableStream>();
  readonly #options: WebSocketAcceptorOptions;
  readonly #http: Server;
  readonly #upgrades: WebSocketServer;
  /** Of connections that are no WebSockets yet. */
  readonly #limits = new WeakMap<Duplex, () => void>();

  constructor(options: WebSocketAcceptorOptions) {
    this.#options = options;
    this.#upgrades = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: LIMITS.messageBytes,
      handleProtocols: (offered) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
    });
    this.#http = createServer((_request, response) => {
      response.writeHead(426, { Upgrade: "websocket", Connection: "close", "Content-Type": "text/plain" });
      response.end(`Open a WebSocket at ${WEBSOCKET_PATH} with the protocol ${SUBPROTOCOL}.\n`);
    });
    this.#http.on("upgrade", (request, socket, head) => this.#upgrade(request, socket, head));
  }

  accept(socket: TLSSocket): void {
    this.#limits.set(socket, limitLife(socket, this.#options.clock, REQUEST_LIMIT_MS));
    this.#http.emit("connection", socket);
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const offered = request.headers["sec-websocket-protocol"]?.split(",").map((name) => name.trim()) ?? [];
    const pathname = URL.parse(request.url ?? "/", "https://control-plane")?.pathname;
    if (pathname !== WEBSOCKET_PATH || !offered.includes(SUBPROTOCOL)) {
      socket.end(
        `HTTP/1.1 ${pathname === WEBSOCKET_PATH ? "400 Bad Request" : "404 Not Found"}\r\nConnection: close\r\n\r\n`,
      );
      return;
    }
    this.#upgrades.handleUpgrade(request, socket, head, (webSocket) => this.#open(webSocket, socket as TLSSocket));
  }

  #open(webSocket: WebSocket, tls: TLSSocket): void {
    const { fleet, clock, logger } = this.#options;
    this.#limits.get(tls)?.();
    try {
      const stream = new WebSocketNodeStream(webSocket, tls, clock, () => this.streams.delete(stream));
      this.streams.add(stream);
      stream.listen(fleet.connect(stream));
    } catch (error) {
      logger.warn("A stream could not be accepted", { reason: (error as Error).message });
      webSocket.terminate();
    }
  }
}
