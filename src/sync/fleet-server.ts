import { constants, type X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import {
  createSecureContext,
  createServer as createTlsServer,
  type SecureContextOptions,
  type TLSSocket,
  type Server as TlsServer,
} from "node:tls";
import type { Clock } from "../core/clock.ts";
import { RunwayError } from "../core/failure.ts";
import type { Logger, Meter } from "../core/ports.ts";
import type { Service } from "../core/service.ts";
import { watchFiles } from "../core/watched-files.ts";
import { formatAddress, parseAddress } from "./address.ts";
import { certificatesOf } from "./certificates-of.ts";
import type { Acceptor, StreamSink } from "./connection.ts";
import { GrpcAcceptor } from "./grpc/grpc-acceptor.ts";
import { HandshakeQueue } from "./handshake-queue.ts";
import { JoinAcceptor, type JoinDoor } from "./join/join-acceptor.ts";
import { JOIN_PROTOCOL } from "./join/protocol.ts";
import { FLEET_METRICS } from "./metrics.ts";
import { describeTlsFailure } from "./tls-failure.ts";
import { WebSocketAcceptor } from "./websocket/websocket-acceptor.ts";

export interface FleetServerOptions {
  /** `:9443` for every interface, `127.0.0.1:9443`, `[::1]:0` … */
  readonly address: string;
  readonly tls: {
    readonly certFile: string;
    readonly keyFile: string;
    /** Authorities of the nodes' certificates. */
    readonly clientCaFile: string;
  };
  readonly fleet: StreamSink;
  /** Lets nodes in that have no certificate yet; undefined where nobody does. */
  readonly joining?: JoinDoor | undefined;
  /** Told when the authorities of the nodes' certificates are others. */
  readonly authoritiesChanged?: (authorities: readonly X509Certificate[]) => void;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly meter: Meter;
}

/** Beyond this, connections are dropped unanswered. */
const MAX_CONNECTIONS = 20_000;
const HANDSHAKE_LIMIT_MS = 10_000;
const FAREWELL_LIMIT_MS = 500;
/** As TLS itself calls it, where it is left to TLS. */
const MISSING_CERTIFICATE = "ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE";

/**
 * Takes the streams of data planes with mutual TLS. The TLS server is ours and hands each connection to the transport that it
 * agreed on by ALPN, so that gRPC and WebSocket share the port, refused handshakes are seen, and certificates can change
 * while it runs. Handshakes wait for their turn (handshake-queue.ts): the TLS server does not listen itself.
 */
export class FleetServer implements Service {
  readonly name = "fleet server";
  readonly #options: FleetServerOptions;
  #acceptors: readonly Acceptor[] = [];
  /** Every connection, and those of them whose handshake succeeded. */
  readonly #connections = new Set<Socket>();
  readonly #sockets = new Set<TLSSocket>();
  readonly #handshakeFailures: ReturnType<Meter["counter"]>;
  readonly #handshakesDropped: ReturnType<Meter["counter"]>;
  readonly #queue = new HandshakeQueue((socket) => this.#tlsServer?.emit("connection", socket));
  #server: Server | undefined;
  #tlsServer: TlsServer | undefined;
  /** PEM, as they were read last. */
  #authorities = "";
  #stopWatching = (): void => {};
  #allGone = (): void => {};

  constructor(options: FleetServerOptions) {
    this.#options = options;
    const { meter } = options;
    this.#handshakeFailures = meter.counter(FLEET_METRICS.handshakeFailures);
    this.#handshakesDropped = meter.counter(FLEET_METRICS.handshakesDropped);
    meter.observeGauge(FLEET_METRICS.handshakesWaiting, () => [[{}, this.#queue.waiting]]);
  }

  /** @throws RunwayError configurationInvalid, when certificates cannot be used or the address cannot be bound. */
  async start(): Promise<void> {
    const { address, tls, clock } = this.#options;
    const context = this.#readContext();
    const { fleet, joining, logger } = this.#options;
    const streams = [new GrpcAcceptor(fleet, logger), new WebSocketAcceptor({ fleet, logger, clock })];
    this.#acceptors =
      joining === undefined ? streams : [...streams, new JoinAcceptor({ door: joining, clock, logger })];
    const tlsServer = createTlsServer({
      ...context,
      requestCert: true,
      // Who joins has no certificate to show; everybody else is asked for one in `#secured`.
      rejectUnauthorized: joining === undefined,
      handshakeTimeout: HANDSHAKE_LIMIT_MS,
      ALPNProtocols: this.#acceptors.map(({ protocol }) => protocol),
    });
    tlsServer.on("secureConnection", (socket) => this.#secured(socket));
    tlsServer.on("tlsClientError", (error, socket) => this.#handshakeFailed(error, socket));
    this.#tlsServer = tlsServer;
    this.#server = createServer({ pauseOnConnect: true, noDelay: true }, (socket) => this.#arrived(socket));
    this.#server.maxConnections = MAX_CONNECTIONS;
    await listen(this.#server, address);
    this.#server.on("error", (error) => logger.error("A connection of a data plane could not be taken", { error }));
    this.#authorities = readFileSync(tls.clientCaFile, "utf8");
    this.#stopWatching = watchFiles([tls.certFile, tls.keyFile, tls.clientCaFile], clock, () => this.#renew());
    this.#options.logger.info("Data planes are accepted", { address: this.address() });
  }

  /** Where it listens, with the port that the system chose where the address said 0. */
  address(): string {
    const bound = this.#server?.address();
    if (typeof bound !== "object" || bound === null)
      throw new RunwayError("internal", "the fleet server is not started");
    const { address, port } = bound;
    return formatAddress({ host: address, port });
  }

  /** Ends every stream at once: a stream has no end of its own to wait for. */
  async stop(deadline: AbortSignal): Promise<void> {
    this.#stopWatching();
    for (const stream of this.#acceptors.flatMap(({ streams }) => [...streams]))
      stream.end("shuttingDown", "the control plane is shutting down");
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    if (this.#server?.listening) this.#server.close(() => resolve());
    else resolve();
    await this.#farewell(deadline);
    for (const acceptor of this.#acceptors) acceptor.close?.();
    for (const socket of this.#connections) socket.destroy();
    await closed;
  }

  /** Gives the nodes time to hear why and to hang up, so that they do not take it for a lost connection. */
  async #farewell(deadline: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const cancel = this.#options.clock.after(FAREWELL_LIMIT_MS, resolve);
    deadline.addEventListener("abort", () => resolve(), { once: true });
    this.#allGone = resolve;
    if (deadline.aborted || this.#sockets.size === 0) resolve();
    await promise;
    cancel();
  }

  #arrived(socket: Socket): void {
    this.#connections.add(socket);
    socket.on("close", () => this.#connections.delete(socket));
    // Ends of connections are seen as ends of handshakes or of streams.
    socket.on("error", () => {});
    if (this.#queue.take(socket)) return;
    this.#handshakesDropped.add();
    socket.destroy();
  }

  #secured(socket: TLSSocket): void {
    this.#queue.over(socket);
    this.#sockets.add(socket);
    socket.on("close", () => {
      this.#sockets.delete(socket);
      if (this.#sockets.size === 0) this.#allGone();
    });
    // Ends of connections are seen as ends of streams.
    socket.on("error", () => {});
    const acceptor = this.#acceptors.find(({ protocol }) => protocol === socket.alpnProtocol);
    if (acceptor === undefined) socket.destroy();
    else if (acceptor.protocol === JOIN_PROTOCOL || isVerified(socket)) acceptor.accept(socket);
    else this.#turnAway(socket);
  }

  /** What TLS does by itself where nobody joins. */
  #turnAway(socket: TLSSocket): void {
    const hasCertificate = socket.getPeerX509Certificate() !== undefined;
    const verdict = socket.authorizationError as unknown;
    this.#tellFailure(socket, hasCertificate ? String(verdict) : MISSING_CERTIFICATE, "");
    socket.destroy();
  }

  #handshakeFailed(error: NodeJS.ErrnoException, socket: TLSSocket): void {
    // Where the certificate was the reason Node tears the socket down and keeps the verdict on it.
    const verdict = socket.authorizationError as unknown;
    this.#tellFailure(socket, typeof verdict === "string" ? verdict : (error.code ?? "unknown"), error.message);
  }

  #tellFailure({ remoteAddress: address }: TLSSocket, code: string, message: string): void {
    this.#handshakeFailures.add(1, { reason: code });
    const reason = describeTlsFailure(Object.assign(new Error(message), { code }));
    this.#options.logger.warn("A TLS handshake with a data plane failed", { address, code, reason });
  }

  /** New files are used for new handshakes; files that cannot be used change nothing. */
  #renew(): void {
    const { logger, tls, authoritiesChanged } = this.#options;
    try {
      this.#tlsServer?.setSecureContext(this.#readContext());
      logger.info("The certificate files have changed and are used for new connections", { certFile: tls.certFile });
      const authorities = readFileSync(tls.clientCaFile, "utf8");
      if (authorities !== this.#authorities) authoritiesChanged?.(certificatesOf(authorities));
      this.#authorities = authorities;
    } catch (error) {
      const reason = (error as Error).message;
      logger.error("The certificate files have changed and cannot be used; the ones before stay in use", { reason });
    }
  }

  #readContext(): SecureContextOptions {
    const { certFile, keyFile, clientCaFile } = this.#options.tls;
    try {
      const files = { cert: readFileSync(certFile), key: readFileSync(keyFile), ca: readFileSync(clientCaFile) };
      // A session that is resumed is not verified again, so none is.
      const context = { ...files, minVersion: "TLSv1.3", secureOptions: constants.SSL_OP_NO_TICKET } as const;
      createSecureContext(context);
      return context;
    } catch (error) {
      throw new RunwayError("configurationInvalid", `cluster.control_plane.tls: ${(error as Error).message}`, {
        cause: error,
      });
    }
  }
}

/** Whether TLS has seen a certificate on this very connection, and it is one of the authorities'. */
function isVerified(socket: TLSSocket): boolean {
  return socket.authorized && !socket.isSessionReused() && socket.getPeerX509Certificate() !== undefined;
}

function listen(server: Server, address: string): Promise<void> {
  const { host, port } = parseAddress(address);
  return new Promise((resolve, reject) => {
    server.once("error", (error) => {
      reject(
        new RunwayError("configurationInvalid", `cluster.control_plane.address ${address}: ${error.message}`, {
          cause: error,
        }),
      );
    });
    server.listen({ port, ...(host === "" ? {} : { host }) }, () => {
      server.removeAllListeners("error");
      resolve();
    });
  });
}
