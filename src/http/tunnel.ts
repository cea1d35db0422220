import type { Socket } from "node:net";
import type { SocketWriter } from "./socket-writer.ts";
import type { Deadlined, Sweep } from "./sweep.ts";

/** Takes what happens on a connection whose HTTP is over. Octets are only lent for the call. */
export interface TunnelFlow {
  onOctets(buffer: Buffer, start: number, end: number): void;
  /** The peer has read what waited for it. */
  onWritable(): void;
  /** The peer sends no more, but may still read. */
  onEnd(): void;
  onClose(): void;
}

/** A connection that can become one end of a tunnel. */
export interface TunnelEnd {
  readonly socket: Socket;
  readonly writer: SocketWriter;
  /** Ends HTTP on the connection: `flow` gets everything from here on, beginning with the octets that came with the head. */
  surrender(flow: TunnelFlow): void;
}

/**
 * Two connections joined after an upgrade (RFC 9110 §7.8): what one sends the other gets, as it is, until both have ended. A peer
 * that reads slowly holds the other back. One that ends its side may still read; one that breaks off breaks the other. A tunnel
 * in which neither direction moved for `idleTimeoutMs` is broken too; 0 means no limit.
 */
export class Tunnel implements Deadlined {
  deadlineMs = Number.POSITIVE_INFINITY;
  readonly #client: TunnelEnd;
  readonly #upstream: TunnelEnd;
  readonly #idleTimeoutMs: number;
  readonly #sweep: Sweep;
  readonly #onClosed: () => void;
  #openEnds = 2;

  constructor(client: TunnelEnd, upstream: TunnelEnd, idleTimeoutMs: number, sweep: Sweep, onClosed: () => void) {
    this.#client = client;
    this.#upstream = upstream;
    this.#idleTimeoutMs = idleTimeoutMs;
    this.#sweep = sweep;
    this.#onClosed = onClosed;
  }

  start(): void {
    this.touch();
    this.#sweep.add(this);
    this.#upstream.surrender(new Flow(this, this.#upstream, this.#client));
    this.#client.surrender(new Flow(this, this.#client, this.#upstream));
  }

  touch(): void {
    this.deadlineMs = this.#sweep.in(this.#idleTimeoutMs);
  }

  onDeadline(): void {
    this.#client.socket.destroy();
    this.#upstream.socket.destroy();
  }

  /** One of the two connections is closed. */
  endClosed(): void {
    if (--this.#openEnds > 0) return;
    this.#sweep.delete(this);
    this.#onClosed();
  }
}

/** One direction of a tunnel. */
class Flow implements TunnelFlow {
  readonly #tunnel: Tunnel;
  readonly #from: TunnelEnd;
  readonly #to: TunnelEnd;
  #hasEnded = false;

  constructor(tunnel: Tunnel, from: TunnelEnd, to: TunnelEnd) {
    this.#tunnel = tunnel;
    this.#from = from;
    this.#to = to;
  }

  onOctets(buffer: Buffer, start: number, end: number): void {
    this.#tunnel.touch();
    const { writer } = this.#to;
    writer.bytes(buffer, start, end);
    writer.flush();
    if (writer.isFull) this.#from.socket.pause();
  }

  onWritable(): void {
    this.#tunnel.touch();
    this.#to.socket.resume();
  }

  onEnd(): void {
    this.#tunnel.touch();
    this.#hasEnded = true;
    this.#to.writer.flushNow();
    this.#to.socket.end();
  }

  onClose(): void {
    this.#to.writer.flushNow();
    // What is still on its way to the other is delivered, unless it was cut.
    if (this.#hasEnded) this.#to.socket.destroySoon();
    else this.#to.socket.resetAndDestroy();
    this.#tunnel.endClosed();
  }
}
