import { X509Certificate } from "node:crypto";
import { type ServerDuplexStream, status } from "@grpc/grpc-js";
import type { FailureKind } from "../../core/failure.ts";
import type { NodeStream, NodeStreamEvents, StreamPeer } from "../connection.ts";
import type { FromControlPlane } from "../messages.ts";
import { readPeerCertificate } from "../peer-certificate.ts";
import { writeComeBack } from "./come-back.ts";
import { encodeFromControlPlane } from "./config-update-codec.ts";
import { decodeFromNode } from "./node-message-codec.ts";

/** How a failure is spelled in gRPC. What is not here is `INTERNAL`. */
const STATUS: Partial<Record<FailureKind, status>> = {
  protocolViolation: status.INVALID_ARGUMENT,
  versionMismatch: status.FAILED_PRECONDITION,
  identityRefused: status.PERMISSION_DENIED,
  certificateRevoked: status.PERMISSION_DENIED,
  overloaded: status.RESOURCE_EXHAUSTED,
  streamReplaced: status.ABORTED,
  shuttingDown: status.UNAVAILABLE,
};

/** The stream of one node over gRPC. */
export class GrpcNodeStream implements NodeStream {
  readonly peer: StreamPeer;
  readonly #call: ServerDuplexStream<Buffer, Buffer>;
  readonly #over: () => void;
  #events: NodeStreamEvents | undefined;
  #isOver = false;

  /** @param over called once when the stream has ended, by whichever side */
  constructor(call: ServerDuplexStream<Buffer, Buffer>, over: () => void) {
    const { sslPeerCertificate } = call.getAuthContext();
    // The TLS server lets nobody in without a certificate.
    const certificate = readPeerCertificate(new X509Certificate(sslPeerCertificate!.raw));
    this.peer = { address: call.getPeer(), transport: "grpc", certificate };
    this.#call = call;
    this.#over = over;
  }

  listen(events: NodeStreamEvents): void {
    this.#events = events;
    this.#call.on("data", (bytes: Buffer) => this.#received(bytes));
    this.#call.on("end", () => this.end("shuttingDown", "the node ended the stream"));
    this.#call.on("cancelled", () => this.#ended());
    this.#call.on("close", () => this.#ended());
    this.#call.on("error", () => this.#ended());
  }

  send(message: FromControlPlane, sent: () => void): void {
    if (this.#isOver) return;
    this.#call.write(encodeFromControlPlane(message), (error?: Error | null) => {
      if (error === undefined || error === null) sent();
    });
  }

  end(kind: FailureKind, detail: string, comeBackAfterMs?: number): void {
    if (this.#isOver) return;
    this.#ended();
    const metadata = comeBackAfterMs === undefined ? {} : { metadata: writeComeBack(comeBackAfterMs) };
    this.#call.emit("error", { code: STATUS[kind] ?? status.INTERNAL, details: detail, ...metadata });
  }

  #received(bytes: Buffer): void {
    if (this.#isOver) return;
    try {
      const message = decodeFromNode(bytes);
      if (message !== undefined) this.#events?.received(message);
    } catch (error) {
      this.end("protocolViolation", `a message cannot be read: ${(error as Error).message}`);
    }
  }

  #ended(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#over();
    this.#events?.closed();
  }
}
