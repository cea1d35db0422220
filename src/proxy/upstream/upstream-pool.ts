import type { ClientTls } from "../../http/client-tls.ts";
import type { OctetBuffers } from "../../http/octet-buffers.ts";
import type { Peer } from "../../http/socket-reader.ts";
import type { Sweep } from "../../http/sweep.ts";
import type { UpstreamChannel } from "../../http/upstream-channel.ts";
import type { WorkerCells } from "../counters/shared-state.ts";
import type { CompiledUpstreamTls } from "../tls/compiled-upstream-tls.ts";
import type { NameResolver } from "./discovery/name-resolver.ts";
import { hostOf } from "./discovery/planned-target.ts";

export interface PoolLimits {
  /** Of HTTP/1.1. */
  readonly maxIdle: number;
  /** 0 means no limit. */
  readonly maxConnections: number;
  /** Requests at a time on one connection of HTTP/2. */
  readonly maxStreams: number;
  readonly idleTimeoutMs: number;
  readonly dialTimeoutMs: number;
  readonly handshakeTimeoutMs: number;
  /** Of HTTP/2; 0 means never. */
  readonly pingIntervalMs: number;
}

/** What all pools of a worker share. */
export interface PoolEnvironment {
  readonly sweep: Sweep;
  readonly buffers: OctetBuffers;
  readonly cells: WorkerCells;
  /** Finds the addresses of targets. */
  readonly names: NameResolver;
}

/** Octets that the head of a response may have. */
export const MAX_RESPONSE_HEAD_BYTES = 65_536;

/** A worker's connections to one target. Survives every change of configuration that still names the target. */
export abstract class UpstreamPool {
  /** The value of Host, as the target's URL spells it. */
  readonly authority: string;
  protected readonly environment: PoolEnvironment;
  protected tls: ClientTls | undefined;
  /** Whether no configuration names the target any more. */
  isRetired = false;
  readonly #host: string;
  readonly #name: string;
  readonly #port: number;
  readonly #isSecure: boolean;
  #limits: PoolLimits;
  #open = 0;

  /**
   * @param origin such as `https://backend:8443`
   * @param authority what the target is called, where that is not where it is
   */
  constructor(origin: string, authority: string | undefined, limits: PoolLimits, environment: PoolEnvironment) {
    const { protocol, host, hostname, port } = new URL(origin);
    this.authority = authority ?? host;
    this.#isSecure = protocol === "https:";
    this.#host = hostname.replace(/^\[|\]$/g, "");
    this.#name = hostOf(this.authority);
    this.#port = port === "" ? (this.#isSecure ? 443 : 80) : Number(port);
    this.#limits = limits;
    this.environment = environment;
  }

  get limits(): PoolLimits {
    return this.#limits;
  }

  /** Takes effect on connections as they come and go. */
  set limits(limits: PoolLimits) {
    this.#limits = limits;
  }

  /** How connections are secured from now on, where the target is https. Those that were verified otherwise are used no more. */
  secure(tls: CompiledUpstreamTls): void {
    if (!this.#isSecure || this.tls?.context === tls.context) return;
    this.tls = { context: tls.context, verify: tls.verify, session: undefined };
    this.letGo();
  }

  /** Closes what is idle now and what is in use once it is not needed any more. */
  retire(): void {
    this.isRetired = true;
    this.letGo();
  }

  /** A place for a request, perhaps on a connection that is still opening; undefined at the limit. */
  abstract acquire(): UpstreamChannel | undefined;
  /** The same on a connection that was not there before. */
  abstract dial(): UpstreamChannel | undefined;
  /** No request is to begin any more on the connections that there are. */
  protected abstract letGo(): void;

  /** Where a new connection goes; undefined at the limit. */
  protected newPeer(): Peer | undefined {
    const { maxConnections } = this.#limits;
    if (this.#isSecure && this.tls === undefined) throw new Error("a connection to an https target needs TLS");
    if (maxConnections > 0 && this.#open >= maxConnections) return undefined;
    this.#open++;
    this.environment.cells.add("upstreamConnectionsTotal", 1);
    return {
      host: this.#host,
      name: this.#name,
      port: this.#port,
      tls: this.tls,
      lookup: this.environment.names.lookup,
    };
  }

  /** To be called once a connection has given up its place among the open ones. */
  protected closed(): void {
    this.#open--;
  }
}
