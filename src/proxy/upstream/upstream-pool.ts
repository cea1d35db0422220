import { ClientConnection } from "../../http/client-connection.ts";
import type { ClientTls } from "../../http/client-tls.ts";
import type { OctetBuffers } from "../../http/octet-buffers.ts";
import type { Sweep } from "../../http/sweep.ts";
import type { WorkerCells } from "../counters/shared-state.ts";
import type { CompiledUpstreamTls } from "../tls/compiled-upstream-tls.ts";

export interface PoolLimits {
  readonly maxIdle: number;
  /** 0 means no limit. */
  readonly maxConnections: number;
  readonly idleTimeoutMs: number;
  readonly dialTimeoutMs: number;
  readonly handshakeTimeoutMs: number;
}

/** What all pools of a worker share. */
export interface PoolEnvironment {
  readonly sweep: Sweep;
  readonly buffers: OctetBuffers;
  readonly cells: WorkerCells;
}

/** Octets that the head of a response may have. */
const MAX_RESPONSE_HEAD_BYTES = 65_536;

/** A worker's connections to one target. Survives every change of configuration that still names the target. */
export class UpstreamPool {
  /** The value of Host, as the target's URL spells it. */
  readonly authority: string;
  readonly #host: string;
  readonly #port: number;
  readonly #isSecure: boolean;
  readonly #environment: PoolEnvironment;
  #limits: PoolLimits;
  /** The one used last is taken first, so that those not needed grow old and close. */
  readonly #idle: ClientConnection[] = [];
  #open = 0;
  #tls: ClientTls | undefined;
  #isRetired = false;

  /** @param origin such as `https://backend:8443` */
  constructor(origin: string, limits: PoolLimits, environment: PoolEnvironment) {
    const { protocol, host, hostname, port } = new URL(origin);
    this.authority = host;
    this.#isSecure = protocol === "https:";
    this.#host = hostname.replace(/^\[|\]$/g, "");
    this.#port = port === "" ? (this.#isSecure ? 443 : 80) : Number(port);
    this.#limits = limits;
    this.#environment = environment;
  }

  /** Takes effect on connections as they come and go. */
  set limits(limits: PoolLimits) {
    this.#limits = limits;
  }

  /** How connections are secured from now on, where the target is https. Those that were verified otherwise are used no more. */
  secure(tls: CompiledUpstreamTls): void {
    if (!this.#isSecure || this.#tls?.context === tls.context) return;
    this.#tls = { context: tls.context, verify: tls.verify, session: undefined };
    this.#closeIdle();
  }

  /** An idle connection, or a new one that may still be opening; undefined at the limit. */
  acquire(): ClientConnection | undefined {
    return this.#idle.pop() ?? this.dial();
  }

  /** A new connection; undefined at the limit. */
  dial(): ClientConnection | undefined {
    const { maxConnections, dialTimeoutMs, handshakeTimeoutMs } = this.#limits;
    if (this.#isSecure && this.#tls === undefined) throw new Error("a connection to an https target needs TLS");
    if (maxConnections > 0 && this.#open >= maxConnections) return undefined;
    this.#open++;
    this.#environment.cells.add("upstreamConnectionsTotal", 1);
    return new ClientConnection({
      peer: { host: this.#host, port: this.#port, tls: this.#tls },
      dialTimeoutMs,
      handshakeTimeoutMs,
      maxHeadBytes: MAX_RESPONSE_HEAD_BYTES,
      sweep: this.#environment.sweep,
      buffers: this.#environment.buffers,
      onFree: (connection) => this.#onFree(connection),
      onClosed: (connection) => this.#onClosed(connection),
    });
  }

  /** Closes what is idle now and what is in use once it is given back. */
  retire(): void {
    this.#isRetired = true;
    this.#closeIdle();
  }

  #closeIdle(): void {
    for (const connection of this.#idle.splice(0)) connection.destroy();
  }

  #onFree(connection: ClientConnection): void {
    if (this.#isRetired || connection.tls !== this.#tls || this.#idle.length >= this.#limits.maxIdle) {
      connection.destroy();
      return;
    }
    connection.rest(this.#limits.idleTimeoutMs);
    this.#idle.push(connection);
  }

  #onClosed(connection: ClientConnection): void {
    this.#open--;
    const index = this.#idle.indexOf(connection);
    if (index >= 0) this.#idle.splice(index, 1);
  }
}
