import { ok, RawOrigin } from "../../testing/test-proxy.ts";

/** What a moody origin does with a request. */
export type Mood = "well" | "failing" | "resetting" | "silent";

/** An origin that answers with its name, or is not well, as a test likes. Checks of its health are counted apart. */
export class MoodyOrigin {
  readonly name: string;
  mood: Mood = "well";
  requests = 0;
  checks = 0;
  readonly #origin: RawOrigin;

  constructor(name: string) {
    this.name = name;
    this.#origin = new RawOrigin((socket, all) => {
      const head = all.slice(all.lastIndexOf("\r\n\r\n", all.length - 5) + 1).trimStart();
      if (!all.endsWith("\r\n\r\n")) return;
      if (head.startsWith("GET /health ")) this.checks++;
      else this.requests++;
      if (this.mood === "well") socket.write(ok(this.name));
      else if (this.mood === "failing") socket.write("HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n");
      else if (this.mood === "resetting") socket.resetAndDestroy();
    });
  }

  get url(): string {
    return this.#origin.url;
  }

  async start(): Promise<this> {
    await this.#origin.start();
    return this;
  }

  stop(): Promise<void> {
    return this.#origin.stop();
  }
}
