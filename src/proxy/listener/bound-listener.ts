import { createServer, type Server, type Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { HttpLimits } from "../../http/http-limits.ts";
import { ServerSession } from "../../http/http2/server-session.ts";
import { ServerConnection } from "../../http/server-connection.ts";
import { WRITE_BUFFER_BYTES } from "../../http/socket-writer.ts";
import { type Caller, Exchange, type Scheme } from "../exchange/exchange.ts";
import { plainAddress } from "../exchange/trusted-proxies.ts";
import { HANDSHAKE_CELLS, type HandshakeFailure } from "../tls/handshake-failure.ts";
import type { ListenerTls } from "../tls/tls-material.ts";
import { type TerminatorEvents, TlsTerminator } from "../tls/tls-terminator.ts";
import type { Gateway } from "../worker/gateway.ts";
import type { ConnectionCount } from "./connection-count.ts";
import { ConnectionRefusal } from "./connection-refusal.ts";

/** A connection of a client, of whatever version of HTTP. */
interface Client {
  limits: HttpLimits;
  /** Whether the connection is to end with the requests that it has. */
  isClosing: boolean;
  closeIfIdle(): void;
}

/**
 * One worker's socket on a listener's address, and the connections it accepted. All workers listen on the address by
 * themselves (`reusePort`), and the kernel spreads connections over them. Connections that come before the first
 * `configure`, while the configuration is not yet in effect, wait for it.
 */
export class BoundListener implements TerminatorEvents {
  readonly #gateway: Gateway;
  readonly #server: Server;
  readonly #count: ConnectionCount;
  readonly #refusal: ConnectionRefusal;
  readonly #clients = new Set<Client>();
  #limits: HttpLimits | undefined;
  /** Undefined where the listener speaks in the clear. */
  #terminator: TlsTerminator | undefined;
  /** Handshakes that are going on, also those of terminators that were replaced meanwhile. */
  #handshakes = 0;
  #isClosed = false;
  /** 0 means no limit. */
  #maxConnections = 0;
  #early: Socket[] = [];

  constructor(gateway: Gateway, count: ConnectionCount) {
    this.#count = count;
    this.#refusal = new ConnectionRefusal(gateway);
    this.#gateway = gateway;
    this.#server = createServer({ noDelay: true, highWaterMark: WRITE_BUFFER_BYTES }, (socket) => this.#accept(socket));
  }

  get connections(): number {
    return this.#clients.size + this.#handshakes;
  }

  /** @throws the system's error when the address cannot be listened on. */
  bind(host: string | undefined, port: number): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#server.once("error", reject);
    this.#server.listen({ port, reusePort: true, exclusive: true, ...(host === undefined ? {} : { host }) }, () => {
      this.#server.off("error", reject);
      this.#server.on("error", (error) => this.#gateway.logger.error("A listener failed", { reason: error.message }));
      resolve();
    });
    return promise;
  }

  /** Limits take effect on connections that are there too, certificates on new ones. */
  configure(limits: HttpLimits, maxConnections: number, tls: ListenerTls | undefined): void {
    this.#maxConnections = maxConnections;
    this.#limits = limits;
    this.renew(tls);
    for (const client of this.#clients) client.limits = limits;
    for (const socket of this.#early.splice(0)) this.#accept(socket);
  }

  renew(tls: ListenerTls | undefined): void {
    const speaksHttp2 = (this.#limits?.maxConcurrentStreams ?? 0) > 0;
    const current = this.#terminator;
    if (current?.fingerprint === tls?.fingerprint && (current?.speaksHttp2 ?? speaksHttp2) === speaksHttp2) return;
    this.#terminator = tls === undefined ? undefined : new TlsTerminator(tls, speaksHttp2, this);
  }

  onSecured(socket: TLSSocket): void {
    this.#handshakes--;
    if (socket.alpnProtocol === "h2") this.#serveHttp2(socket, "https");
    else this.#serve(socket, "https");
  }

  onHandshakeFailed(failure: HandshakeFailure): void {
    this.#handshakes--;
    this.#gateway.cells.add(HANDSHAKE_CELLS[failure], 1);
  }

  /** Accepts no more; connections close with their next answer. */
  close(): void {
    this.#isClosed = true;
    this.#server.close();
    for (const socket of this.#early.splice(0)) socket.destroy();
    for (const client of this.#clients) client.isClosing = true;
  }

  closeIdle(): void {
    for (const client of this.#clients) client.closeIfIdle();
  }

  #accept(socket: Socket): void {
    if (this.#limits === undefined) {
      this.#early.push(socket);
      return;
    }
    this.#gateway.cells.add("connectionsTotal", 1);
    if (this.#maxConnections > 0 && this.#count.total >= this.#maxConnections) {
      this.#refusal.refuse(socket, this.#terminator === undefined);
      return;
    }
    this.#count.add(1);
    socket.on("close", () => this.#count.add(-1));
    if (this.#terminator === undefined) {
      this.#serve(socket, "http");
      return;
    }
    this.#handshakes++;
    this.#terminator.accept(socket);
  }

  #serve(socket: Socket, scheme: Scheme): void {
    const { buffers, cells, sweep } = this.#gateway;
    const limits = this.#limitsInEffect();
    cells.add("activeConnections", 1);
    const onHttp2 = () => this.#serveHttp2(socket, scheme);
    const { client } = new Exchange(
      this.#gateway,
      callerOf(socket, scheme),
      (handler) => new ServerConnection(socket, buffers, limits, sweep, handler, onHttp2),
      () => {
        this.#clients.delete(client);
        cells.add("activeConnections", -1);
      },
    );
    client.isClosing = this.#isClosed;
    this.#clients.add(client);
  }

  #serveHttp2(socket: Socket, scheme: Scheme): void {
    const { buffers, cells, clock, sweep } = this.#gateway;
    const limits = this.#limitsInEffect();
    const caller = callerOf(socket, scheme);
    cells.add("activeConnections", 1);
    const session = new ServerSession(socket, {
      ...{ limits, sweep, buffers, clock },
      isDraining: () => this.#gateway.isDraining,
      serve: (open) => new Exchange(this.#gateway, caller, open).client,
      onFlood: () => cells.add("http2Floods", 1),
      onClosed: () => {
        this.#clients.delete(session);
        cells.add("activeConnections", -1);
      },
    });
    session.isClosing = this.#isClosed;
    this.#clients.add(session);
  }

  #limitsInEffect(): HttpLimits {
    if (this.#limits === undefined) throw new Error("a connection is served before its listener is configured");
    return this.#limits;
  }
}

function callerOf(socket: Socket, scheme: Scheme): Caller {
  return { address: plainAddress(socket.remoteAddress ?? "unknown"), scheme };
}
