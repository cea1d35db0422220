import { readFileSync } from "node:fs";
import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls, createSecureContext, type SecureContext, type TLSSocket } from "node:tls";
import { parseAddress } from "../../src/sync/address.ts";
import type { Protocol } from "../../src/sync/mutual-tls.ts";
import type { NodeCertificate } from "./certificates.ts";

/** Makes the connections of one simulated node, and counts what goes over them. */
export class NodeDialer {
  readonly #context: SecureContext;
  #socket: Socket | undefined;
  #earlierBytes = 0;

  constructor({ certFile, keyFile }: NodeCertificate, ca: Buffer) {
    const [cert, key] = [readFileSync(certFile), readFileSync(keyFile)];
    this.#context = createSecureContext({ minVersion: "TLSv1.3", cert, key, ca });
  }

  /** @throws Error when the control plane cannot be reached, or either side refuses the other */
  async dial(address: string, protocol: Protocol): Promise<TLSSocket> {
    this.#earlierBytes = this.bytes;
    const { host, port } = parseAddress(address);
    const tcp = connectTcp({ host, port, noDelay: true });
    this.#socket = tcp;
    const { promise, resolve, reject } = Promise.withResolvers<TLSSocket>();
    const tls = connectTls({ socket: tcp, secureContext: this.#context, ALPNProtocols: [protocol], host });
    tls.once("secureConnect", () => resolve(tls));
    tcp.on("error", reject);
    tls.on("error", reject);
    tls.once("close", () => reject(new Error("the connection was closed")));
    return promise;
  }

  /** Octets of TCP in both directions, TLS included, over all its connections. */
  get bytes(): number {
    return this.#earlierBytes + (this.#socket?.bytesRead ?? 0) + (this.#socket?.bytesWritten ?? 0);
  }

  /** As a network would that fails. */
  cut(): void {
    this.#socket?.destroy();
  }
}
