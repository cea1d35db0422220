import type { CompiledUpstreamTls } from "../tls/compiled-upstream-tls.ts";
import type { PlannedTarget } from "./discovery/planned-target.ts";
import { Http1Pool } from "./http1-pool.ts";
import { Http2Pool } from "./http2-pool.ts";
import type { PoolEnvironment, PoolLimits, UpstreamPool } from "./upstream-pool.ts";

/** What holds for all pools. */
export interface PoolTerms {
  readonly limits: PoolLimits;
  readonly tls: CompiledUpstreamTls;
}

interface Held {
  readonly pool: UpstreamPool;
  holders: number;
}

/** What a target's connections are known by: its origin, the protocol that is spoken and what it is called. */
export function poolKey({ url, http2, authority }: PlannedTarget): string {
  const { origin } = new URL(url);
  return origin + (http2 ? " HTTP/2" : "") + (authority === undefined ? "" : ` ${authority}`);
}

/** A worker's connections to targets. A pool is there for as long as somebody holds it, over all changes of configuration. */
export class UpstreamPools {
  readonly #environment: PoolEnvironment;
  readonly #held = new Map<string, Held>();
  #terms: PoolTerms | undefined;

  constructor(environment: PoolEnvironment) {
    this.#environment = environment;
  }

  /** For each hold there has to be one `letGo`. */
  hold(target: PlannedTarget): UpstreamPool {
    const held = this.#held.getOrInsertComputed(poolKey(target), () => ({ pool: this.#open(target), holders: 0 }));
    held.holders++;
    return held.pool;
  }

  letGo(key: string): void {
    const held = this.#held.get(key);
    if (held === undefined || --held.holders > 0) return;
    this.#held.delete(key);
    held.pool.retire();
  }

  /** To be called before the first hold. Costs nothing while the terms are those of before. */
  configure(terms: PoolTerms): void {
    if (this.#terms?.limits === terms.limits && this.#terms.tls === terms.tls) return;
    this.#terms = terms;
    for (const { pool } of this.#held.values()) {
      pool.limits = terms.limits;
      pool.secure(terms.tls);
    }
  }

  #open({ url, http2, authority }: PlannedTarget): UpstreamPool {
    if (this.#terms === undefined) throw new Error("a connection was wanted before anything was configured");
    const Pool = http2 ? Http2Pool : Http1Pool;
    const pool = new Pool(new URL(url).origin, authority, this.#terms.limits, this.#environment);
    pool.secure(this.#terms.tls);
    return pool;
  }
}
