import type { SecureContext } from "node:tls";
import type { CertificatePair } from "./tls-material.ts";

/**
 * Which certificate is shown for which host (RFC 6066 §3): an exact name before a wildcard, which stands for one label; where two
 * certificates are for one host, the first. Contexts are made when first asked for, since there may be many and they cost memory.
 */
export class ServerNames {
  readonly #exact = new Map<string, CertificatePair>();
  /** By what follows the star, with its dot. */
  readonly #wildcards = new Map<string, CertificatePair>();
  readonly #contexts = new Map<CertificatePair, SecureContext>();
  readonly #createContext: (pair: CertificatePair) => SecureContext;

  constructor(certificates: readonly CertificatePair[], createContext: (pair: CertificatePair) => SecureContext) {
    this.#createContext = createContext;
    for (const pair of certificates)
      for (const host of pair.hosts)
        if (host.startsWith("*.")) this.#wildcards.getOrInsert(host.slice(1), pair);
        else this.#exact.getOrInsert(host, pair);
  }

  /** Undefined where the default certificate is to be shown. */
  contextFor(host: string): SecureContext | undefined {
    const name = host.toLowerCase();
    const dot = name.indexOf(".");
    const pair = this.#exact.get(name) ?? (dot > 0 ? this.#wildcards.get(name.slice(dot)) : undefined);
    return pair && this.#contexts.getOrInsertComputed(pair, this.#createContext);
  }
}
