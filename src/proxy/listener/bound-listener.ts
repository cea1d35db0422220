import { createServer, type Server, type Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { ConnectionOptions, HttpLimits } from "../../http/http-limits.ts";
import { ServerSession, type SessionOptions } from "../../http/http2/server-session.ts";
import { Lifetime } from "../../http/lifetime.ts";
import { ServerConnection } from "../../http/server-connection.ts";
import { WRITE_BUFFER_BYTES } from "../../http/socket-writer.ts";
import type { Caller, Scheme } from "../exchange/client-request.ts";
import { Exchange } from "../exchange/exchange.ts";
import { plainAddress } from "../exchange/trusted-proxies.ts";
import { HANDSHAKE_CELLS, type HandshakeFailure } from "../tls/handshake-failure.ts";
import type { ListenerTls } from "../tls/tls-material.ts";
import { type TerminatorEvents, TlsTerminator } from "../tls/tls-terminator.ts";
import type { Gateway } from "../worker/gateway.ts";
import type { ConnectionCount } from "./connection-count.ts";
import { ConnectionRefusal } from "./connection-refusal.ts";
import type { ListenerSettings } from "./listener-settings.ts";
import { PROXY_HEADER_CELLS, type ProxyHeaderFault } from "./proxy-header.ts";
import { type ProxyHeaderEvents, ProxyHeaderReader } from "./proxy-header-reader.ts";

/** A connection of a client, of whatever version of HTTP. */
interface Client {
  limits: HttpLimits;
  /** Whether the connection is to end with the requests that it has. */
  isClosing: boolean;
  closeIfIdle(): void;
}

/** Multiples of it, modulo 1, are spread as evenly as can be, however many there are. */
const GOLDEN_RATIO = (Math.sqrt(5) - 1) / 2;

/**
 * One worker's socket on a listener's address, and the connections it accepted. All workers listen on the address by
 * themselves (`reusePort`), and the kernel spreads connections over them. Connections that come before the first
 * `configure`, while the configuration is not yet in effect, wait for it.
 *
 * A connection comes in through up to three doors, each of which may turn it away: the limit of connections, the PROXY header,
 * the TLS handshake. Then it is a client of HTTP.
 */
export class BoundListener implements TerminatorEvents, ProxyHeaderEvents {
  readonly #gateway: Gateway;
  readonly #server: Server;
  readonly #count: ConnectionCount;
  readonly #refusal: ConnectionRefusal;
  readonly #clients = new Set<Client>();
  #settings: ListenerSettings | undefined;
  /** Undefined where the listener speaks in the clear. */
  #terminator: TlsTerminator | undefined;
  /** Connections between two doors, also those of terminators that were replaced meanwhile. */
  #arriving = 0;
  /** Clients that proxies spoke for, by the connection (`endOf`) for as long as it lasts. */
  readonly #told = new Map<string, string>();
  #isClosed = false;
  #served = 0;
  #early: Socket[] = [];

  constructor(gateway: Gateway, count: ConnectionCount) {
    this.#count = count;
    this.#refusal = new ConnectionRefusal(gateway);
    this.#gateway = gateway;
    this.#server = createServer({ noDelay: true, highWaterMark: WRITE_BUFFER_BYTES }, (socket) => this.#accept(socket));
  }

  get connections(): number {
    return this.#clients.size + this.#arriving;
  }

  /** @throws the system's error when the address cannot be listened on. */
  bind(host: string | undefined, port: number): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#server.removeAllListeners("error");
    this.#server.once("error", reject);
    this.#server.listen({ port, reusePort: true, exclusive: true, ...(host === undefined ? {} : { host }) }, () => {
      this.#server.off("error", reject);
      this.#server.on("error", (error) => this.#gateway.logger.error("A listener failed", { reason: error.message }));
      resolve();
    });
    return promise;
  }

  /** Limits take effect on connections that are there too, certificates and PROXY headers on new ones. */
  configure(settings: ListenerSettings, tls: ListenerTls | undefined): void {
    this.#settings = settings;
    this.renew(tls);
    for (const client of this.#clients) client.limits = settings.limits;
    for (const socket of this.#early.splice(0)) this.#accept(socket);
  }

  renew(tls: ListenerTls | undefined): void {
    const speaksHttp2 = (this.#settings?.limits.maxConcurrentStreams ?? 0) > 0;
    const current = this.#terminator;
    if (current?.fingerprint === tls?.fingerprint && (current?.speaksHttp2 ?? speaksHttp2) === speaksHttp2) return;
    this.#terminator = tls === undefined ? undefined : new TlsTerminator(tls, speaksHttp2, this);
  }

  onProxyHeader(socket: Socket, client: string | undefined): void {
    this.#arriving--;
    if (client !== undefined) {
      const end = endOf(socket);
      this.#told.set(end, plainAddress(client));
      socket.on("close", () => this.#told.delete(end));
    }
    this.#enter(socket);
  }

  onNoProxyHeader(fault: ProxyHeaderFault | undefined): void {
    this.#arriving--;
    if (fault !== undefined) this.#gateway.cells.add(PROXY_HEADER_CELLS[fault], 1);
  }

  onSecured(socket: TLSSocket): void {
    this.#arriving--;
    if (socket.alpnProtocol === "h2") this.#serveHttp2(socket, "https", takeEarly(socket));
    else this.#serve(socket, "https");
  }

  onHandshakeFailed(failure: HandshakeFailure): void {
    this.#arriving--;
    this.#gateway.cells.add(HANDSHAKE_CELLS[failure], 1);
  }

  /** Accepts no more for now; connections go on. */
  pause(): void {
    if (this.#server.listening) this.#server.close();
  }

  /** @throws as `bind`; listening already is enough */
  async resume(host: string | undefined, port: number): Promise<void> {
    if (!this.#server.listening) await this.bind(host, port);
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
    if (this.#settings === undefined) {
      this.#early.push(socket);
      return;
    }
    const { maxConnections, proxyHeader } = this.#settings;
    this.#gateway.cells.add("connectionsTotal", 1);
    if (maxConnections > 0 && this.#count.total >= maxConnections) {
      this.#refusal.refuse(socket, this.#terminator === undefined);
      return;
    }
    this.#count.add(1);
    socket.on("close", () => this.#count.add(-1));
    if (proxyHeader === undefined || proxyHeader.proxies?.includes(ownAddressOf(socket)) === false) {
      this.#enter(socket);
      return;
    }
    this.#arriving++;
    new ProxyHeaderReader(socket, proxyHeader.timeoutMs, this.#gateway.sweep, this);
  }

  #enter(socket: Socket): void {
    if (this.#terminator === undefined) {
      this.#serve(socket, "http");
      return;
    }
    this.#arriving++;
    this.#terminator.accept(socket);
  }

  #serve(socket: Socket, scheme: Scheme): void {
    const { cells } = this.#gateway;
    const options = this.#connectionOptions();
    const onHttp2 = (octets: Buffer) => this.#serveHttp2(socket, scheme, octets);
    const early = takeEarly(socket);
    cells.add("activeConnections", 1);
    const { client } = new Exchange(
      this.#gateway,
      this.#callerOf(socket, scheme),
      (handler) => new ServerConnection(socket, options, handler, onHttp2),
      () => {
        this.#clients.delete(client);
        cells.add("activeConnections", -1);
      },
    );
    client.isClosing = this.#isClosed;
    this.#clients.add(client);
    if (early !== undefined) client.onBytes(early, early.length);
  }

  #serveHttp2(socket: Socket, scheme: Scheme, early: Buffer | undefined): void {
    const { cells, clock } = this.#gateway;
    const caller = this.#callerOf(socket, scheme);
    cells.add("activeConnections", 1);
    const options: SessionOptions = {
      ...this.#connectionOptions(),
      clock,
      isDraining: () => this.#gateway.isDraining,
      serve: (open) => new Exchange(this.#gateway, caller, open).client,
      onFlood: () => cells.add("http2Floods", 1),
      onClosed: () => {
        this.#clients.delete(session);
        cells.add("activeConnections", -1);
      },
    };
    const session = new ServerSession(socket, options, early);
    session.isClosing = this.#isClosed;
    this.#clients.add(session);
  }

  #connectionOptions(): ConnectionOptions {
    if (this.#settings === undefined) throw new Error("a connection is served before its listener is configured");
    const { buffers, sweep } = this.#gateway;
    const lifetime = new Lifetime(sweep.nowMs, (this.#served++ * GOLDEN_RATIO) % 1);
    return { limits: this.#settings.limits, lifetime, sweep, buffers };
  }

  #callerOf(socket: Socket, scheme: Scheme): Caller {
    const told = this.#told.size === 0 ? undefined : this.#told.get(endOf(socket));
    return { address: told ?? ownAddressOf(socket), scheme };
  }
}

/** What came behind a PROXY header: a socket that is read from directly would not give it again. */
function takeEarly(socket: Socket): Buffer | undefined {
  return socket.readableLength > 0 ? (socket.read() as Buffer) : undefined;
}

function ownAddressOf(socket: Socket): string {
  return plainAddress(socket.remoteAddress ?? "unknown");
}

/** The same for a socket and the TLS socket around it; a listener has one such connection at a time. */
function endOf({ remoteAddress, remotePort, localAddress }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress}`;
}
