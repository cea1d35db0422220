import { type ClientHttp2Session, type ClientHttp2Stream, connect as connectHttp2, constants } from "node:http2";
import { connect, isIP, type Socket } from "node:net";
import { connect as connectTls, TLSSocket } from "node:tls";
import type { OctetBuffers } from "../octet-buffers.ts";
import type { Refusal } from "../refusal.ts";
import { keepSession, type Peer, tlsOptions } from "../socket-reader.ts";
import type { Deadlined, Sweep } from "../sweep.ts";
import { ClientStream, type ClientStreamHost } from "./client-stream.ts";
import type { HeadOptions } from "./request-writer.ts";

/** Where a connection goes and what it may take. A time of 0 means no limit. */
export interface ClientSessionOptions {
  readonly peer: Peer;
  readonly dialTimeoutMs: number;
  /** How long securing the connection and the first settings may take once it is open. */
  readonly handshakeTimeoutMs: number;
  /** How long it is kept without a stream. */
  readonly idleTimeoutMs: number;
  /** After so long without a word, with streams open, the peer is asked whether it is still there. 0 asks never. */
  readonly pingIntervalMs: number;
  /** Streams at a time, when the peer allows as many. */
  readonly maxStreams: number;
  readonly maxHeadBytes: number;
  readonly sweep: Sweep;
  readonly buffers: OctetBuffers;
  readonly onClosed: (session: ClientSession) => void;
}

/** What the upstream may send of a response before we have taken what came. */
const STREAM_WINDOW_BYTES = 262_144;
const CONNECTION_WINDOW_BYTES = 4_194_304;
const MAX_HEADER_PAIRS = 512;
const MEMORY_MB = 16;
/** How long the answer to a ping may take. */
const PING_TIMEOUT_MS = 10_000;

/**
 * The client's side of an HTTP/2 connection (RFC 9113) with many streams, each of which takes requests as a connection of
 * HTTP/1.1 does. Over TLS the protocol is agreed by ALPN, in the clear it is known beforehand (§3.3). After a GOAWAY it takes no
 * more requests and ends with those that it has; what the peer says it has not touched is told so, and may be sent elsewhere.
 */
export class ClientSession implements ClientStreamHost, Deadlined {
  readonly scheme: string;
  readonly sweep: Sweep;
  readonly buffers: OctetBuffers;
  readonly maxHeadBytes: number;
  deadlineMs: number;
  hasServed = false;
  failure: Refusal | undefined;
  readonly #options: ClientSessionOptions;
  readonly #socket: Socket;
  readonly #session: ClientHttp2Session;
  readonly #free: ClientStream[] = [];
  readonly #places: ClientStream[] = [];
  #state: "dialling" | "securing" | "open" | "closed" = "dialling";
  #isLeaving = false;
  #maxStreams: number;
  #lastHeardMs = 0;
  #isPinging = false;

  constructor(options: ClientSessionOptions) {
    const { peer, sweep, buffers } = options;
    this.#options = options;
    this.scheme = peer.tls === undefined ? "http" : "https";
    this.sweep = sweep;
    this.buffers = buffers;
    this.maxHeadBytes = options.maxHeadBytes;
    this.#maxStreams = options.maxStreams;
    this.deadlineMs = sweep.in(options.dialTimeoutMs);
    this.#socket = dial(peer);
    this.#listenToSocket(this.#socket);
    const host = isIP(peer.host) === 6 ? `[${peer.host}]` : peer.host;
    this.#session = connectHttp2(`${this.scheme}://${host}`, sessionOptions(this.#socket, options.maxHeadBytes));
    sweep.add(this);
    this.#listen(this.#session);
  }

  /** How it is secured; undefined where it is not. */
  get tls(): Peer["tls"] {
    return this.#options.peer.tls;
  }

  get isOpen(): boolean {
    return this.#state === "open";
  }

  /** Streams that are open. */
  get streams(): number {
    return this.#places.length - this.#free.length;
  }

  /** Whether it takes one more request. */
  get hasRoom(): boolean {
    return !this.#isLeaving && this.#state !== "closed" && this.streams < this.#maxStreams;
  }

  /** A place for one more request; to be asked for only while there is room. */
  open(): ClientStream {
    const place = this.#free.pop() ?? this.#addPlace();
    if (this.#state === "open" && !this.#isPinging) this.deadlineMs = this.sweep.in(this.#options.pingIntervalMs);
    return place;
  }

  /** Takes no more requests, and ends with those that it has. */
  leave(): void {
    if (this.#isLeaving) return;
    this.#isLeaving = true;
    if (this.streams === 0) this.destroy();
  }

  destroy(): void {
    this.#session.destroy();
    this.#socket.destroy();
  }

  request(head: readonly string[], options: HeadOptions): ClientHttp2Stream | undefined {
    if (this.#session.closed || this.#session.destroyed) return undefined;
    return this.#session.request(head, options);
  }

  heard(): void {
    this.#lastHeardMs = this.sweep.nowMs;
    if (this.#options.pingIntervalMs > 0 && !this.#isPinging)
      this.deadlineMs = this.sweep.in(this.#options.pingIntervalMs);
  }

  /** A peer that has not said a word since the request was sent may be gone, with nobody to tell us. */
  onLate(place: ClientStream): void {
    if (this.#lastHeardMs < place.begunMs) this.leave();
  }

  onStreamClosed(place: ClientStream, wasServed: boolean): void {
    this.#free.push(place);
    if (wasServed) this.hasServed = true;
    if (this.streams > 0) return;
    if (this.#isLeaving) this.destroy();
    else if (this.#state === "open") this.deadlineMs = this.sweep.in(this.#options.idleTimeoutMs);
  }

  onDeadline(): void {
    if (this.#state === "open" && this.streams > 0 && !this.#isPinging) {
      this.#ping();
      return;
    }
    if (this.#state === "dialling") this.#fail("upstreamRefused", "the connection did not open in time");
    else if (this.#state === "securing") this.#fail("upstreamRefused", "the TLS handshake did not end in time");
    else if (this.streams > 0) this.#fail("upstreamReset", "the upstream does not answer a ping");
    this.destroy();
  }

  #addPlace(): ClientStream {
    const place = new ClientStream(this);
    this.#places.push(place);
    this.sweep.add(place);
    return place;
  }

  #listenToSocket(socket: Socket): void {
    socket.on("connect", () => this.#onConnect());
    if (socket instanceof TLSSocket) socket.on("secureConnect", () => this.#onSecured(socket));
    socket.on("error", (error) => this.#onError(error));
  }

  #listen(session: ClientHttp2Session): void {
    session.on("connect", () => this.#onReady());
    session.on("remoteSettings", ({ maxConcurrentStreams }) => {
      this.#maxStreams = Math.min(this.#options.maxStreams, maxConcurrentStreams ?? this.#options.maxStreams);
    });
    session.on("goaway", (code) => this.#onGoaway(code));
    session.on("error", (error) => this.#onError(error));
    session.on("close", () => this.#onClose());
  }

  #onConnect(): void {
    this.#state = "securing";
    this.deadlineMs = this.sweep.in(this.#options.handshakeTimeoutMs);
  }

  #onSecured(socket: TLSSocket): void {
    if (socket.alpnProtocol === "h2") return;
    this.#fail("upstreamRefused", "the target does not agree to speak HTTP/2");
    this.destroy();
  }

  #onReady(): void {
    if (this.#state === "closed") return;
    this.#state = "open";
    this.#session.setLocalWindowSize(CONNECTION_WINDOW_BYTES);
    this.deadlineMs = this.sweep.in(this.streams > 0 ? this.#options.pingIntervalMs : this.#options.idleTimeoutMs);
    for (const place of this.#places) place.touch();
  }

  #onGoaway(code: number): void {
    this.#isLeaving = true;
    if (code !== constants.NGHTTP2_NO_ERROR)
      this.#fail("upstreamReset", `the upstream ends the connection with code ${code}`);
  }

  #ping(): void {
    this.#isPinging = true;
    this.deadlineMs = this.sweep.in(PING_TIMEOUT_MS);
    this.#session.ping((error) => {
      this.#isPinging = false;
      if (error === null) this.heard();
    });
  }

  #onError(error: Error): void {
    const reason = "code" in error ? String(error.code) : error.message;
    const isOpening = this.#state === "dialling" || this.#state === "securing";
    const detail =
      this.#state === "securing" ? `the handshake failed: ${reason} (${error.message.split("\n")[0]})` : reason;
    this.#fail(isOpening ? "upstreamRefused" : "upstreamReset", detail);
  }

  #fail(kind: Refusal["kind"], reason: string): void {
    this.failure ??= { kind, reason };
  }

  /** Called before the streams that are left are told. */
  #onClose(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.sweep.delete(this);
    for (const place of this.#places) this.sweep.delete(place);
    this.#options.onClosed(this);
  }
}

function sessionOptions(socket: Socket, maxHeadBytes: number): object {
  return {
    createConnection: () => socket,
    maxHeaderListPairs: MAX_HEADER_PAIRS,
    maxSessionMemory: MEMORY_MB,
    strictSingleValueFields: false,
    settings: {
      enablePush: false,
      initialWindowSize: STREAM_WINDOW_BYTES,
      // Counts 32 octets more for each field than a head of HTTP/1.1 has.
      maxHeaderListSize: maxHeadBytes + 32 * MAX_HEADER_PAIRS,
    },
  };
}

function dial(peer: Peer): Socket {
  const { host, name, port, tls } = peer;
  const lookup = peer.lookup === undefined ? {} : { lookup: peer.lookup };
  if (tls === undefined) return connect({ host, port, ...lookup, noDelay: true });
  const socket = connectTls({ host, port, ...lookup, ...tlsOptions(name, tls, "h2") });
  socket.setNoDelay(true);
  keepSession(socket, tls);
  return socket;
}
