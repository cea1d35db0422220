import { createServer, type Server } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";

/** An HTTP proxy that opens tunnels for whoever knows the credentials, and counts them. */
export class ForwardProxy implements AsyncDisposable {
  tunnels = 0;
  refused = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(credentials: string) {
    const expected = `Basic ${Buffer.from(credentials).toString("base64")}`;
    this.#server = createServer((_request, response) => response.writeHead(400).end());
    this.#server.on("connect", (request, client: Socket, head: Buffer) => {
      if (request.headers["proxy-authorization"] !== expected) {
        this.refused += 1;
        client.end("HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\n\r\n");
        return;
      }
      this.tunnels += 1;
      const { hostname, port } = new URL(`tcp://${request.url}`);
      const target = connect(Number(port), hostname, () => {
        client.write("HTTP/1.1 200 Connection established\r\n\r\n");
        target.write(head);
        target.pipe(client).pipe(target);
      });
      target.on("error", () => client.destroy());
      for (const socket of [client, target]) {
        this.#sockets.add(socket);
        socket.on("error", () => socket.destroy());
        socket.on("close", () => this.#sockets.delete(socket));
      }
    });
  }

  static async start(credentials: string): Promise<ForwardProxy> {
    const proxy = new ForwardProxy(credentials);
    await new Promise<void>((resolve) => proxy.#server.listen(0, "127.0.0.1", resolve));
    return proxy;
  }

  /** @param userInfo how it is asked, percent-encoded */
  url(userInfo: string): URL {
    return new URL(`http://${userInfo}@127.0.0.1:${(this.#server.address() as AddressInfo).port}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
