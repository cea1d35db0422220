import { once } from "node:events";
import { connect, type Socket } from "node:net";

/** Many clients that mean it ill, and what all of them together sent and were told. */
export class IllClients implements Disposable {
  readonly #port: number;
  readonly #sockets: Socket[] = [];
  readonly #timers: NodeJS.Timeout[] = [];
  /** Octets that the kernel took from them. */
  get sentBytes(): number {
    return this.#sockets.reduce((sum, { bytesWritten, writableLength }) => sum + bytesWritten - writableLength, 0);
  }

  closed = 0;
  /** How the answers of those begin that were answered, by count. */
  readonly answers = new Map<string, number>();

  constructor(port: number) {
    this.#port = port;
  }

  /** Connects `count` of them, each of which begins with `text`. */
  async connect(count: number, text: string): Promise<readonly Socket[]> {
    const sockets = Array.from({ length: count }, () => this.#connect());
    await Promise.all(sockets.map((socket) => once(socket, "connect")));
    for (const socket of sockets) socket.write(text, "latin1");
    return sockets;
  }

  /** Each of them sends `text` again and again, slowly. */
  trickle(sockets: readonly Socket[], text: string): void {
    const send = () => {
      for (const socket of sockets) if (socket.writable) socket.write(text, "latin1");
    };
    this.#timers.push(setInterval(send, 100));
  }

  /** Each of them sends `text` again and again, as fast as it is taken. */
  flood(sockets: readonly Socket[], text: string): void {
    const octets = Buffer.from(text, "latin1");
    for (const socket of sockets) {
      const fill = () => {
        while (socket.writable && socket.write(octets));
      };
      socket.on("drain", fill);
      fill();
    }
  }

  [Symbol.dispose](): void {
    for (const timer of this.#timers) clearInterval(timer);
    for (const socket of this.#sockets) socket.destroy();
  }

  #connect(): Socket {
    const socket = connect({ port: this.#port, host: "127.0.0.1" });
    this.#sockets.push(socket);
    socket.on("error", () => {});
    socket.on("close", () => {
      this.closed++;
    });
    socket.once("data", (octets: Buffer) => {
      const begin = octets.toString("latin1", 0, 12);
      this.answers.set(begin, (this.answers.get(begin) ?? 0) + 1);
    });
    return socket;
  }
}
