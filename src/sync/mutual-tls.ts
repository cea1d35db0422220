import { readFile } from "node:fs/promises";
import { connect as connectTcp, isIP, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { connect as connectTls, createSecureContext, type TLSSocket } from "node:tls";
import { type HostAndPort, parseAddress } from "./address.ts";
import { openTunnel } from "./connect-tunnel.ts";

export interface MutualTlsOptions {
  readonly certFile: string;
  readonly keyFile: string;
  /** Authorities of the control plane's certificate. */
  readonly caFile: string;
  /** What the control plane's certificate must be for; the host of the address when undefined. */
  readonly serverName?: string | undefined;
  /** An HTTP proxy that is asked for a tunnel, such as `http://user:password@proxy:3128`. */
  readonly proxy?: URL | undefined;
}

/** As it is agreed on by ALPN. */
export type Protocol = "h2" | "http/1.1";

/** How a node reaches control planes: through a proxy or not, with certificates on both sides. Files are read anew each time. */
export class MutualTls {
  readonly #options: MutualTlsOptions;

  constructor(options: MutualTlsOptions) {
    this.#options = options;
  }

  /** Where the connection to `address` goes first. */
  firstHop(address: string): HostAndPort {
    const { proxy } = this.#options;
    return proxy === undefined ? parseAddress(address) : { host: hostOf(proxy), port: portOf(proxy) };
  }

  /** @throws Error that says what went wrong, also when `signal` aborts */
  async dial(address: string, protocol: Protocol, signal: AbortSignal): Promise<TLSSocket> {
    signal.throwIfAborted();
    const socket = connectTcp({ ...this.firstHop(address), noDelay: true });
    const giveUp = (): unknown => socket.destroy(new Error("given up"));
    signal.addEventListener("abort", giveUp, { once: true });
    try {
      await connected(socket);
      return await this.secure(socket, address, protocol);
    } catch (error) {
      socket.destroy();
      throw error;
    } finally {
      signal.removeEventListener("abort", giveUp);
    }
  }

  /** Makes a connection to the first hop one to the control plane, verified. */
  async secure(socket: Duplex, address: string, protocol: Protocol): Promise<TLSSocket> {
    const { certFile, keyFile, caFile, serverName } = this.#options;
    const target = parseAddress(address);
    // One file for both is read once: it may be replaced at any time.
    const certificate = readFile(certFile);
    const readKey = keyFile === certFile ? certificate : readFile(keyFile);
    const [cert, key, ca] = await Promise.all([certificate, readKey, readFile(caFile)]);
    const secureContext = createSecureContext({ minVersion: "TLSv1.3", cert, key, ca });
    const inner = await this.#throughProxy(socket, target);
    const name = serverName ?? target.host;
    const naming = isIP(name) === 0 ? { servername: name } : { host: name };
    return secured(connectTls({ socket: inner, secureContext, ALPNProtocols: [protocol], ...naming }));
  }

  async #throughProxy(socket: Duplex, target: HostAndPort): Promise<Duplex> {
    const { proxy } = this.#options;
    if (proxy === undefined) return socket;
    const naming = isIP(hostOf(proxy)) === 0 ? { servername: hostOf(proxy) } : { host: hostOf(proxy) };
    const hop = proxy.protocol === "https:" ? await secured(connectTls({ socket, ...naming })) : socket;
    await openTunnel(hop, target, credentialsOf(proxy));
    return hop;
  }
}

function connected(socket: Socket): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  socket.once("connect", resolve);
  socket.on("error", reject);
  return promise;
}

function secured(socket: TLSSocket): Promise<TLSSocket> {
  const { promise, resolve, reject } = Promise.withResolvers<TLSSocket>();
  socket.once("secureConnect", () => resolve(socket));
  socket.on("error", reject);
  socket.once("close", () => reject(new Error("the connection was closed during the handshake")));
  return promise;
}

function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, "");
}

function portOf({ port, protocol }: URL): number {
  return port === "" ? (protocol === "https:" ? 443 : 80) : Number(port);
}

function credentialsOf({ username, password }: URL): string {
  return username === "" ? "" : `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
}
