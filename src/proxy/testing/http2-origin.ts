/** An origin of HTTP/2 for tests, in the clear. */
import {
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
  type Settings,
} from "node:http2";

export type Respond = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void;

export class Http2Origin {
  port = 0;
  readonly sessions: ServerHttp2Session[] = [];
  readonly streams: ServerHttp2Stream[] = [];
  readonly #server: Http2Server;

  constructor(respond: Respond, settings: Settings = {}) {
    this.#server = createServer({ settings });
    this.#server.on("session", (session) => {
      this.sessions.push(session);
      session.on("error", () => {});
    });
    this.#server.on("stream", (stream: ServerHttp2Stream, headers) => {
      this.streams.push(stream);
      stream.on("error", () => {});
      respond(stream, headers);
    });
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    this.port = (this.#server.address() as { port: number }).port;
    return this;
  }

  async stop(): Promise<void> {
    for (const session of this.sessions) session.destroy();
    await new Promise((closed) => this.#server.close(closed));
  }
}
