import { readFile } from "node:fs/promises";
import type { Duplex } from "node:stream";
import { type ConnectionOptions, createSecureContext, type TLSSocket } from "node:tls";
import type { HostAndPort } from "./address.ts";
import { dial, firstHop, secure, type Way } from "./dial.ts";

export interface MutualTlsOptions extends Omit<Way, "address"> {
  readonly certFile: string;
  readonly keyFile: string;
  /** Authorities of the control plane's certificate. */
  readonly caFile: string;
}

/** As it is agreed on by ALPN. */
export type Protocol = "h2" | "http/1.1";

/** How a node reaches control planes, with certificates on both sides. Files are read anew each time. */
export class MutualTls {
  readonly #options: MutualTlsOptions;

  constructor(options: MutualTlsOptions) {
    this.#options = options;
  }

  /** Where the connection to `address` goes first. */
  firstHop(address: string): HostAndPort {
    return firstHop({ ...this.#options, address });
  }

  /** @throws Error that says what went wrong, also when `signal` aborts */
  async dial(address: string, protocol: Protocol, signal: AbortSignal): Promise<TLSSocket> {
    return dial({ ...this.#options, address }, await this.#identity(protocol), signal);
  }

  /** Makes a connection to the first hop one to the control plane, verified. @throws as `dial` */
  async secure(socket: Duplex, address: string, protocol: Protocol, signal: AbortSignal): Promise<TLSSocket> {
    return secure(socket, { ...this.#options, address }, await this.#identity(protocol), signal);
  }

  async #identity(protocol: Protocol): Promise<ConnectionOptions> {
    const { certFile, keyFile, caFile } = this.#options;
    // One file for both is read once: it may be replaced at any time.
    const certificate = readFile(certFile);
    const readKey = keyFile === certFile ? certificate : readFile(keyFile);
    const [cert, key, ca] = await Promise.all([certificate, readKey, readFile(caFile)]);
    const secureContext = createSecureContext({ minVersion: "TLSv1.3", cert, key, ca });
    return { secureContext, ALPNProtocols: [protocol] };
  }
}
