import { X509Certificate } from "node:crypto";
import type { TLSSocket } from "node:tls";
import type { RawData, WebSocket } from "ws";
import type { JsonObject } from "../../config/json.ts";
import type { Clock } from "../../core/clock.ts";
import { FAILURES, type FailureKind } from "../../core/failure.ts";
import { formatAddress } from "../address.ts";
import type { NodeStream, NodeStreamEvents, StreamPeer } from "../connection.ts";
import type { FromControlPlane } from "../messages.ts";
import { readPeerCertificate } from "../peer-certificate.ts";
import { RPC_ERRORS, writeError } from "../rpc/json-rpc.ts";
import { decodeFromNode, encodeFromControlPlane } from "./json-codec.ts";
import { keepAlive } from "./keepalive.ts";
import { HELLO_ID, KEEPALIVE, MAX_CLOSE_REASON_BYTES } from "./protocol.ts";

/** How a failure is spelled in a close frame (RFC 6455 §7.4.1, and 4000 to 4999 for ourselves). What is not here is 1011. */
const CLOSE_CODES: Partial<Record<FailureKind, number>> = {
  protocolViolation: 1002,
  versionMismatch: 4001,
  identityRefused: 4003,
  certificateRevoked: 4003,
  overloaded: 1013,
  streamReplaced: 4009,
  shuttingDown: 1001,
};
/** How long the node may take to close its side. */
const CLOSE_LIMIT_MS = 2_000;

/** What a program makes of the end: which failure it was, and when to try again. */
function writeFarewell(kind: FailureKind, comeBackAfterMs: number | undefined): JsonObject {
  return { code: FAILURES[kind].code, ...(comeBackAfterMs === undefined ? {} : { comeBackAfterMs }) };
}

/** The stream of one node over WebSocket. */
export class WebSocketNodeStream implements NodeStream {
  readonly peer: StreamPeer;
  readonly #socket: WebSocket;
  readonly #clock: Clock;
  readonly #over: () => void;
  readonly #endKeepalive: () => void;
  #events: NodeStreamEvents | undefined;
  #isOver = false;

  /** @param over called once when the stream has ended, by whichever side */
  constructor(socket: WebSocket, tls: TLSSocket, clock: Clock, over: () => void) {
    // The TLS server lets nobody in without a certificate.
    const certificate = readPeerCertificate(new X509Certificate(tls.getPeerCertificate().raw));
    const address = formatAddress({ host: tls.remoteAddress ?? "", port: tls.remotePort ?? 0 });
    this.peer = { address, transport: "websocket", certificate };
    this.#socket = socket;
    this.#clock = clock;
    this.#over = over;
    this.#endKeepalive = keepAlive(socket, clock, KEEPALIVE.controlPlane);
  }

  listen(events: NodeStreamEvents): void {
    this.#events = events;
    this.#socket.on("message", (data, isBinary) => this.#received(data, isBinary));
    this.#socket.on("error", () => {}); // "close" follows, and is what matters.
    this.#socket.on("close", () => this.#ended());
  }

  send(message: FromControlPlane, sent: () => void): void {
    if (this.#isOver) return;
    this.#socket.send(encodeFromControlPlane(message), (error) => {
      if (error === undefined || error === null) sent();
    });
  }

  end(kind: FailureKind, detail: string, comeBackAfterMs?: number): void {
    if (this.#isOver) return;
    this.#ended();
    // The whole reason first: a close frame has little room.
    const error = { ...RPC_ERRORS.failed, message: detail, data: writeFarewell(kind, comeBackAfterMs) };
    this.#socket.send(JSON.stringify(writeError(HELLO_ID, error)), () => {});
    this.#socket.close(
      CLOSE_CODES[kind] ?? 1011,
      Buffer.from(detail).subarray(0, MAX_CLOSE_REASON_BYTES).toString("latin1"),
    );
    this.#clock.after(CLOSE_LIMIT_MS, () => this.#socket.terminate());
  }

  #received(data: RawData, isBinary: boolean): void {
    if (this.#isOver) return;
    try {
      if (isBinary) throw new Error("frames are text");
      const message = decodeFromNode(String(data));
      if (message !== undefined) this.#events?.received(message);
    } catch (error) {
      this.end("protocolViolation", `a message cannot be read: ${(error as Error).message}`);
    }
  }

  #ended(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#endKeepalive();
    this.#over();
    this.#events?.closed();
  }
}
