import { once } from "node:events";
import { connect, type Socket } from "node:net";

const HEAD_END = "\r\n\r\n";

/** What to do about a connection; `answered` comes once for each `ask`. */
export interface ConnectionEvents {
  answered(connection: HttpConnection, status: number): void;
  /** It is of no use any more, and what was asked and not answered never will be. */
  ended(connection: HttpConnection, why: string): void;
}

/**
 * The client side of one plain connection, made to be cheap: generators share their core with the origin, so what they
 * use the origin lacks. Knows answers with `Content-Length` only, which is what the origin gives.
 */
export class HttpConnection {
  readonly #socket: Socket;
  readonly #request: string;
  #head = "";
  #bodyBytesLeft = 0;
  #status = 0;

  private constructor(socket: Socket, request: string) {
    this.#socket = socket;
    this.#request = request;
  }

  /** Connected when it answers. @throws Error when nobody listens. */
  static async open(
    port: number,
    path: string,
    events: ConnectionEvents,
    signal: AbortSignal,
  ): Promise<HttpConnection> {
    const socket = connect({ host: "127.0.0.1", port, noDelay: true });
    await once(socket, "connect", { signal });
    const connection = new HttpConnection(socket, `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`);
    socket.on("data", (octets: Buffer) => connection.#read(octets, events));
    let why = "closed";
    socket.on("error", ({ message }) => {
      why = message;
    });
    socket.on("close", () => events.ended(connection, why));
    return connection;
  }

  /** Sends the request. Only when the one before was answered. */
  ask(): void {
    this.#socket.write(this.#request, "latin1");
  }

  close(): void {
    this.#socket.removeAllListeners("close").destroy();
  }

  #read(octets: Buffer, events: ConnectionEvents): void {
    if (this.#bodyBytesLeft > 0) this.#bodyBytesLeft -= octets.length;
    else if (!this.#readHead(octets)) return;
    if (this.#bodyBytesLeft > 0) return;
    if (this.#bodyBytesLeft === 0) events.answered(this, this.#status);
    else this.#socket.destroy(new Error("an answer longer than its Content-Length"));
  }

  /** Answers whether the head is complete; the octets of the body that came with it are then counted. */
  #readHead(octets: Buffer): boolean {
    this.#head += octets.toString("latin1");
    const end = this.#head.indexOf(HEAD_END);
    if (end < 0) return false;
    const length = /\ncontent-length: *(\d+)/i.exec(this.#head)?.[1];
    if (length === undefined) {
      this.#socket.destroy(new Error("an answer without Content-Length"));
      return false;
    }
    this.#status = Number(this.#head.slice(9, 12));
    this.#bodyBytesLeft = Number(length) - (this.#head.length - end - HEAD_END.length);
    this.#head = "";
    return true;
  }
}
