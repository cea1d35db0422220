import { connect as connectTcp, isIP, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from "node:tls";
import { type HostAndPort, parseAddress } from "./address.ts";
import { openTunnel } from "./connect-tunnel.ts";

/** The way from a node to a control plane. */
export interface Way {
  /** Of the control plane, host:port. */
  readonly address: string;
  /** What its certificate must be for; the host of the address when undefined. */
  readonly serverName?: string | undefined;
  /** An HTTP proxy that is asked for a tunnel, such as `http://user:password@proxy:3128`. */
  readonly proxy?: URL | undefined;
}

/** Where the connection goes first. */
export function firstHop({ address, proxy }: Way): HostAndPort {
  return proxy === undefined ? parseAddress(address) : { host: hostOf(proxy), port: portOf(proxy) };
}

/** @throws Error that says what went wrong, also when `signal` aborts */
export async function dial(way: Way, tls: ConnectionOptions, signal: AbortSignal): Promise<TLSSocket> {
  signal.throwIfAborted();
  const socket = connectTcp({ ...firstHop(way), noDelay: true });
  return orDestroyed(socket, signal, async () => {
    await connected(socket);
    return overTls(socket, way, tls);
  });
}

/** Makes a connection to the first hop one to the control plane. @throws as `dial` */
export function secure(socket: Duplex, way: Way, tls: ConnectionOptions, signal: AbortSignal): Promise<TLSSocket> {
  return orDestroyed(socket, signal, () => overTls(socket, way, tls));
}

async function overTls(
  socket: Duplex,
  { address, serverName, proxy }: Way,
  tls: ConnectionOptions,
): Promise<TLSSocket> {
  const target = parseAddress(address);
  const inner = proxy === undefined ? socket : await throughProxy(socket, proxy, target);
  return secured(connectTls({ socket: inner, minVersion: "TLSv1.3", ...named(serverName ?? target.host), ...tls }));
}

async function throughProxy(socket: Duplex, proxy: URL, target: HostAndPort): Promise<Duplex> {
  const hop = proxy.protocol === "https:" ? await secured(connectTls({ socket, ...named(hostOf(proxy)) })) : socket;
  await openTunnel(hop, target, credentialsOf(proxy));
  return hop;
}

/** A peer that is silent for ever holds no socket for longer than somebody waits. */
async function orDestroyed<T>(socket: Duplex, signal: AbortSignal, action: () => Promise<T>): Promise<T> {
  const giveUp = (): unknown => socket.destroy(new Error("given up"));
  signal.addEventListener("abort", giveUp, { once: true });
  try {
    signal.throwIfAborted();
    return await action();
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    signal.removeEventListener("abort", giveUp);
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

/** An IP address is no server name (RFC 6066 §3). */
function named(name: string): ConnectionOptions {
  return isIP(name) === 0 ? { servername: name } : { host: name };
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
