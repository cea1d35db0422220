import type { TLSSocket } from "node:tls";
import type { FailureKind } from "../core/failure.ts";
import type { JOIN_PROTOCOL } from "./join/protocol.ts";
import type { FromControlPlane, FromNode } from "./messages.ts";

export const TRANSPORTS = ["grpc", "websocket"] as const;
export type Transport = (typeof TRANSPORTS)[number];

/** What a transport offers to a data plane: connections to control planes, one at a time. */
export interface Connector {
  /** Does not throw: what goes wrong comes as `closed`. */
  connect(address: string, events: ConnectionEvents): Connection;
}

export interface Connection {
  /** After `closed` it does nothing. */
  send(message: FromNode): void;
  /** Drops the connection; no event comes after it. */
  close(): void;
}

export interface ConnectionEvents {
  /** Both sides have verified each other, and messages can be sent. */
  opened(): void;
  received(message: FromControlPlane): void;
  /**
   * Comes once, with a reason for people.
   * @param comeBackAfterMs when the control plane asked to be tried again, if it did
   */
  closed(reason: string, comeBackAfterMs?: number): void;
}

/** What a transport gives to a control plane: the stream of one node, whose certificate was verified. */
export interface NodeStream {
  readonly peer: StreamPeer;
  /** @param sent called when the message has left and the stream takes more */
  send(message: FromControlPlane, sent: () => void): void;
  /**
   * Ends the stream with a failure that the node is told.
   * @param comeBackAfterMs when the node is to try again; it adds some jitter of its own
   */
  end(kind: FailureKind, detail: string, comeBackAfterMs?: number): void;
}

/** Takes the streams that nodes open. */
export interface StreamSink {
  /** Answers what wants to hear of it. */
  connect(stream: NodeStream): NodeStreamEvents;
}

export type EndableStream = Pick<NodeStream, "end">;

/** A transport at a control plane: makes streams of connections whose certificates were verified. */
export interface Acceptor {
  /** As it is agreed on by ALPN. */
  readonly protocol: "h2" | "http/1.1" | typeof JOIN_PROTOCOL;
  readonly streams: Iterable<EndableStream>;
  accept(socket: TLSSocket): void;
  /** Lets go of what it keeps besides its connections, which are closed by whoever handed them over. */
  close?(): void;
}

/** What the control plane wants to hear of a stream. */
export interface NodeStreamEvents {
  received(message: FromNode): void;
  closed(): void;
}

export interface StreamPeer {
  /** IP address and port. */
  readonly address: string;
  readonly transport: Transport;
  readonly certificate: PeerCertificate;
}

export interface PeerCertificate {
  readonly der: Uint8Array;
  readonly subject: string;
  /** Hexadecimal, lower case, without leading zeros. */
  readonly serialNumber: string;
  /** SHA-256 of the certificate (DER), hexadecimal. */
  readonly fingerprint: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** The URI names among the subject alternative names. */
  readonly uriNames: readonly string[];
  /** SHA-256 of the public key (DER, SubjectPublicKeyInfo), hexadecimal. */
  readonly keyFingerprint: string;
}
