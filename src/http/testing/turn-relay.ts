import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** When nobody has said anything for so long, both sides are taken to wait for each other. */
const QUIET_MS = 25;

/**
 * A path on which a packet takes so long that each side has said all that it may before it hears of the other: what both say is kept until
 * neither says more, and delivered then. So the round trips of an exchange can be counted, however fast the machine is.
 */
export class TurnRelay {
  /** Deliveries that held octets of a client. */
  turns = 0;
  readonly #port: number;
  readonly #server = createServer({ noDelay: true }, (client) => this.#join(client));
  readonly #sockets = new Set<Socket>();

  constructor(port: number) {
    this.#port = port;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async start(): Promise<this> {
    await once(this.#server.listen(0, "127.0.0.1"), "listening");
    return this;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }

  #join(client: Socket): void {
    const server = connect({ port: this.#port, host: "127.0.0.1", noDelay: true });
    const kept = { client: [] as Buffer[], server: [] as Buffer[] };
    const quiet = setTimeout(() => {
      const [up, down] = [kept.client.splice(0), kept.server.splice(0)];
      if (up.length > 0) this.turns++;
      if (up.length > 0 && server.writable) server.write(Buffer.concat(up));
      if (down.length > 0 && client.writable) client.write(Buffer.concat(down));
    }, QUIET_MS);
    const keep = (pieces: Buffer[]) => (octets: Buffer) => {
      pieces.push(octets);
      quiet.refresh();
    };
    client.on("data", keep(kept.client));
    server.on("data", keep(kept.server));
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => {
        this.#sockets.delete(socket);
        other.destroy();
      });
    }
  }
}
