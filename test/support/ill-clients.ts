import { once } from "node:events";
import { type ClientHttp2Session, connect as connectHttp2 } from "node:http2";
import { connect, type Socket } from "node:net";

/** Many clients that mean it ill, and what all of them together sent and were told. */
export class IllClients implements Disposable {
  readonly #port: number;
  readonly #sockets: Socket[] = [];
  readonly #sessions: ClientHttp2Session[] = [];
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

  /** HTTP/2 uploads without an end to `path`, many on each connection, as fast as their windows let them. */
  upload(connections: number, streams: number, path: string): void {
    const octets = Buffer.alloc(65_536, "x");
    for (let connection = 0; connection < connections; connection++) {
      const session = connectHttp2(`http://127.0.0.1:${this.#port}`).on("error", () => {});
      this.#sessions.push(session);
      for (let count = 0; count < streams; count++) {
        const stream = session.request({ ":method": "POST", ":path": path }).on("error", () => {});
        const fill = () => {
          while (stream.writable && stream.write(octets));
        };
        stream.on("drain", fill);
        fill();
      }
    }
  }

  [Symbol.dispose](): void {
    for (const session of this.#sessions) session.destroy();
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
