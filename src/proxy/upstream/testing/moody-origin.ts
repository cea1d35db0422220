import type { Socket } from "node:net";
import { ok, RawOrigin } from "../../testing/test-proxy.ts";

/** What a moody origin does with a request. */
export type Mood = "well" | "failing" | "unavailable" | "resetting" | "silent" | "flapping";

/**
 * An origin that answers with its name, or is not well, as a test likes. Checks of its health are counted apart; one that is flapping
 * passes them, and fails every other request.
 */
export class MoodyOrigin {
  readonly name: string;
  mood: Mood = "well";
  requests = 0;
  checks = 0;
  /** Of the requests that had one. */
  readonly bodies: string[] = [];
  readonly #origin: RawOrigin;
  /** How much of each connection is read. */
  readonly #read: number[] = [];
  readonly #kept: Socket[] = [];

  constructor(name: string) {
    this.name = name;
    this.#origin = new RawOrigin((socket, all, connection) => {
      for (let request = this.#next(all, connection); request !== undefined; request = this.#next(all, connection))
        this.#answer(socket, request);
    });
  }

  get url(): string {
    return this.#origin.url;
  }

  get connections(): number {
    return this.#origin.sockets.filter(({ destroyed }) => !destroyed).length;
  }

  async start(): Promise<this> {
    await this.#origin.start();
    return this;
  }

  stop(): Promise<void> {
    return this.#origin.stop();
  }

  /** Answers the requests that it was silent about. */
  speak(): void {
    for (const socket of this.#kept.splice(0)) socket.write(ok(this.name));
  }

  #next(all: string, connection: number): { readonly head: string; readonly body: string } | undefined {
    const start = this.#read[connection] ?? 0;
    const end = all.indexOf("\r\n\r\n", start) + 4;
    if (end < 4) return undefined;
    const head = all.slice(start, end);
    const length = Number(/\r\nContent-Length: (\d+)/.exec(head)?.[1] ?? 0);
    if (all.length < end + length) return undefined;
    this.#read[connection] = end + length;
    return { head, body: all.slice(end, end + length) };
  }

  #answer(socket: Socket, { head, body }: { readonly head: string; readonly body: string }): void {
    const isCheck = head.startsWith("GET /health ");
    if (isCheck) this.checks++;
    else this.requests++;
    if (body !== "") this.bodies.push(body);
    const isWell = this.mood === "flapping" ? isCheck || this.requests % 2 === 0 : this.mood === "well";
    if (isWell) socket.write(ok(this.name));
    else if (this.mood === "failing" || this.mood === "flapping")
      socket.write("HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n");
    else if (this.mood === "unavailable") socket.write("HTTP/1.1 503 Not Now\r\nContent-Length: 0\r\n\r\n");
    else if (this.mood === "resetting") socket.resetAndDestroy();
    else this.#kept.push(socket);
  }
}
