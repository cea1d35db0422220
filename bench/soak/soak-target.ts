import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { freePort } from "../../test/support/free-port.ts";

/** An HTTP server that can fail, all its connections with it, and come back on its port. */
export class SoakTarget implements AsyncDisposable {
  readonly port: number;
  #server: Server | undefined;

  private constructor(port: number) {
    this.port = port;
  }

  static async start(): Promise<SoakTarget> {
    const target = new SoakTarget(await freePort());
    await target.comeBack();
    return target;
  }

  async comeBack(): Promise<void> {
    const server = createServer({ keepAliveTimeout: 0 }, (_, response) => response.end("Hello from a target."));
    this.#server = server.listen(this.port, "127.0.0.1");
    await once(server, "listening");
  }

  async fail(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    const closed = once(server, "close");
    server.close();
    server.closeAllConnections();
    await closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.fail();
  }
}
