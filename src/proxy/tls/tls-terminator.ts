import { createHash } from "node:crypto";
import type { Socket } from "node:net";
import {
  createSecureContext,
  createServer,
  type SecureContextOptions,
  type Server,
  type TLSSocket,
  type TlsOptions,
} from "node:tls";
import { type HandshakeFailure, handshakeFailureOf } from "./handshake-failure.ts";
import { ServerNames } from "./server-names.ts";
import type { CertificatePair, ListenerTls } from "./tls-material.ts";

/** Handshakes of one listener and worker that may go on at a time; each holds about 50 KB. */
const MAX_HANDSHAKES = 4_096;

/** Forward secret and authenticated, cheapest first; TLS 1.3 and 1.2. */
const CIPHERS =
  "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:ECDHE+AESGCM:ECDHE+CHACHA20";

export interface TerminatorEvents {
  onSecured(socket: TLSSocket): void;
  onHandshakeFailed(failure: HandshakeFailure): void;
}

/**
 * Shakes hands with the clients of a listener. It listens on nothing itself: accepted sockets are given to it, so that a listener
 * keeps its sockets when its certificates change, and even when it begins to speak TLS. Never changed: a new one takes over, while
 * handshakes that began with this one end with it.
 */
export class TlsTerminator {
  readonly fingerprint: string;
  readonly speaksHttp2: boolean;
  readonly #server: Server;
  readonly #events: TerminatorEvents;
  readonly #needsCertificate: boolean;
  #handshakes = 0;

  constructor(tls: ListenerTls, speaksHttp2: boolean, events: TerminatorEvents) {
    this.fingerprint = tls.fingerprint;
    this.speaksHttp2 = speaksHttp2;
    this.#events = events;
    this.#needsCertificate = tls.clientAuth === "require";
    const [first] = tls.certificates;
    if (first === undefined) throw new Error("a listener without a certificate cannot speak TLS");
    const names = new ServerNames(tls.certificates, (pair) => createSecureContext(contextOptions(tls, pair)));
    this.#server = createServer({
      ...contextOptions(tls, first),
      handshakeTimeout: tls.handshakeTimeoutMs,
      requestCert: tls.clientAuth !== "none",
      rejectUnauthorized: tls.clientAuth === "verify",
      ALPNProtocols: speaksHttp2 ? ["h2", "http/1.1"] : ["http/1.1"],
      // A callback in every handshake is worth it only where there is something to choose from.
      ...(tls.certificates.length > 1 && {
        SNICallback: selectContext(names),
      }),
    });
    this.#server.on("secureConnection", (socket) => this.#secured(socket));
    this.#server.on("tlsClientError", (error, socket) => this.#failed(error, socket));
  }

  /** Takes over the socket; one of the events follows. */
  accept(socket: Socket): void {
    if (this.#handshakes >= MAX_HANDSHAKES) {
      socket.resetAndDestroy();
      this.#events.onHandshakeFailed("overloaded");
      return;
    }
    this.#handshakes++;
    this.#server.emit("connection", socket);
  }

  #secured(socket: TLSSocket): void {
    this.#handshakes--;
    if (this.#needsCertificate && socket.getPeerX509Certificate() === undefined) {
      socket.destroy();
      this.#events.onHandshakeFailed("client_certificate");
    } else this.#events.onSecured(socket);
  }

  #failed(error: Error, socket: TLSSocket): void {
    this.#handshakes--;
    socket.destroy();
    this.#events.onHandshakeFailed(handshakeFailureOf(error, Boolean(socket.authorizationError)));
  }
}

function selectContext(names: ServerNames): NonNullable<TlsOptions["SNICallback"]> {
  return (host, done) => {
    try {
      done(null, names.contextFor(host));
    } catch (error) {
      done(error instanceof Error ? error : new Error(String(error)));
    }
  };
}

function contextOptions(tls: ListenerTls, { cert, key }: CertificatePair): SecureContextOptions {
  return {
    ...{ cert, key, minVersion: tls.minVersion, ciphers: CIPHERS },
    ...(tls.clientCa === undefined ? {} : { ca: tls.clientCa }),
    ticketKeys: Buffer.from(tls.ticketKeys),
    // A session that was made where clients were verified otherwise is not resumed here.
    sessionIdContext: createHash("sha256")
      .update(`${tls.clientAuth}\n${tls.clientCa ?? ""}`)
      .digest("hex")
      .slice(0, 32),
  };
}
