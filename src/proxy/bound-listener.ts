import { createServer, type Server, type Socket } from "node:net";
import { type HttpLimits, ServerConnection } from "../http/server-connection.ts";
import { WRITE_BUFFER_BYTES } from "../http/socket-writer.ts";
import { Exchange } from "./exchange.ts";
import type { Gateway } from "./gateway.ts";
import { plainAddress } from "./trusted-proxies.ts";

/**
 * One worker's socket on a listener's address, and the connections it accepted. All workers listen on the address by
 * themselves (`reusePort`), and the kernel spreads connections over them. Connections that come before the first
 * `configure`, while the configuration is not yet in effect, wait for it.
 */
export class BoundListener {
  readonly #gateway: Gateway;
  readonly #server: Server;
  readonly #clients = new Set<ServerConnection>();
  #limits: HttpLimits | undefined;
  #early: Socket[] = [];

  constructor(gateway: Gateway) {
    this.#gateway = gateway;
    this.#server = createServer({ noDelay: true, highWaterMark: WRITE_BUFFER_BYTES }, (socket) => this.#accept(socket));
  }

  get connections(): number {
    return this.#clients.size;
  }

  /** @throws the system's error when the address cannot be listened on. */
  bind(host: string | undefined, port: number): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#server.once("error", reject);
    this.#server.listen({ port, reusePort: true, exclusive: true, ...(host === undefined ? {} : { host }) }, () => {
      this.#server.off("error", reject);
      this.#server.on("error", (error) => this.#gateway.logger.error("A listener failed", { reason: error.message }));
      resolve();
    });
    return promise;
  }

  /** Takes effect on connections that are there too. */
  configure(limits: HttpLimits): void {
    this.#limits = limits;
    for (const client of this.#clients) client.limits = limits;
    for (const socket of this.#early.splice(0)) this.#accept(socket);
  }

  /** Accepts no more; connections close with their next answer. */
  close(): void {
    this.#server.close();
    for (const socket of this.#early.splice(0)) socket.destroy();
    for (const client of this.#clients) client.isClosing = true;
  }

  closeIdle(): void {
    for (const client of this.#clients) client.closeIfIdle();
  }

  #accept(socket: Socket): void {
    if (this.#limits === undefined) {
      this.#early.push(socket);
      return;
    }
    this.#gateway.cells.add("connectionsTotal", 1);
    this.#serve(socket, this.#limits);
  }

  #serve(socket: Socket, limits: HttpLimits): void {
    const { buffers, cells, sweep } = this.#gateway;
    cells.add("activeConnections", 1);
    const peer = plainAddress(socket.remoteAddress ?? "unknown");
    const { client } = new Exchange(
      this.#gateway,
      peer,
      (handler) => new ServerConnection(socket, buffers, limits, sweep, handler),
      () => {
        this.#clients.delete(client);
        cells.add("activeConnections", -1);
      },
    );
    this.#clients.add(client);
  }
}
