import { createServer, type Server } from "node:net";

/**
 * Finds out whether addresses are free. Workers share an address by `reusePort`, which would share it with any other program of the
 * same user too, silently. So a new address is first listened on without sharing, which fails if anyone has it; that also finds
 * the port where the system chooses. All claims are held until `release`, so that two listeners cannot claim one address.
 */
export class PortClaim {
  readonly #servers: Server[] = [];

  /** Answers the port. @throws the system's error when the address cannot be listened on. */
  async claim(host: string | undefined, port: number): Promise<number> {
    const server = createServer();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    server.once("error", reject);
    server.listen({ port, exclusive: true, ...(host === undefined ? {} : { host }) }, resolve);
    await promise;
    this.#servers.push(server);
    const address = server.address();
    return typeof address === "object" && address !== null ? address.port : port;
  }

  async release(): Promise<void> {
    await Promise.all(this.#servers.splice(0).map((server) => new Promise((closed) => server.close(closed))));
  }
}
