import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { connect, createServer, type Server, type Socket } from "node:net";

/** What becomes of the next commit of a version: it is lost on its way, or its answer is. */
type Fate = "lost" | "unanswered";

const COMMIT = Buffer.from("COMMIT\0");
const WRITES_VERSION = Buffer.from("INSERT INTO runway.revision");

/** Stands between a control plane and its PostgreSQL, and breaks connections at the moment of a commit. */
export class PostgresRelay implements AsyncDisposable {
  readonly #to: number;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #fate: Fate | undefined;
  #isOpen = true;
  #onBroken: () => void = () => {};

  private constructor(to: number) {
    this.#to = to;
    this.#server = createServer((client) => this.#relay(client));
  }

  static async start(to: number): Promise<PostgresRelay> {
    const relay = new PostgresRelay(to);
    relay.#server.listen(0, "127.0.0.1");
    await once(relay.#server, "listening");
    return relay;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Resolves when the connection of the next commit of a version was broken. @param closes whether nobody gets through afterwards */
  async breakNextCommit(fate: Fate, closes = false): Promise<void> {
    this.#fate = fate;
    await new Promise<void>((resolve) => {
      this.#onBroken = resolve;
    });
    if (closes) this.close();
  }

  /** Nobody gets through any more. */
  close(): void {
    this.#isOpen = false;
    for (const socket of this.#sockets) socket.destroy();
  }

  open(): void {
    this.#isOpen = true;
  }

  #relay(client: Socket): void {
    if (!this.#isOpen) {
      client.destroy();
      return;
    }
    const server = connect(this.#to, "127.0.0.1");
    const both = [client, server];
    const end = () => {
      for (const socket of both) socket.destroy();
    };
    for (const socket of both) {
      this.#sockets.add(socket);
      socket.on("error", end);
      socket.on("close", () => {
        this.#sockets.delete(socket);
        end();
      });
    }
    let isVersion = false;
    server.pipe(client);
    client.on("data", (data: Buffer) => {
      isVersion ||= data.includes(WRITES_VERSION);
      const fate = isVersion && data.includes(COMMIT) ? this.#fate : undefined;
      if (data.includes(COMMIT)) isVersion = false;
      if (fate === "lost") end();
      else server.write(data);
      if (fate === undefined) return;
      this.#fate = undefined;
      // Gone before the database can answer; what was written to it still arrives.
      if (fate === "unanswered") {
        server.unpipe(client);
        client.destroy();
        server.end();
      }
      this.#onBroken();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
    this.#server.close();
    await once(this.#server, "close");
  }
}
