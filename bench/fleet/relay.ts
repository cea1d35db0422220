/**
 * A bad network: a relay for TCP that delivers later than it receives. What loss looks like above TCP is a pause: a lost
 * segment is sent again after the retransmission timeout, and all that came behind it waits (RFC 6298 has a second as the
 * first timeout; Linux goes down to 200 ms). So a `lossShare` of 0.01 holds every hundredth piece, and what follows it, for
 * `RETRANSMIT_MS`. Connections are cut at random too, `cutsPerMinute` of each on average.
 */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

const RETRANSMIT_MS = 200;
/** What may wait in one direction of a connection before the sender is held up. */
const MAX_WAITING_BYTES = 1 << 20;

export interface Network {
  /** One way. */
  readonly delayMs: number;
  /** Up to so much more, for each piece anew. */
  readonly jitterMs: number;
  /** 0 to 1. */
  readonly lossShare: number;
  readonly cutsPerMinute: number;
}

export class Relay implements AsyncDisposable {
  readonly #network: Network;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #random: () => number;

  constructor(target: { readonly host: string; readonly port: number }, network: Network, random = Math.random) {
    this.#network = network;
    this.#random = random;
    this.#server = createServer({ noDelay: true }, (client) =>
      this.#join(client, connect({ ...target, noDelay: true })),
    );
  }

  /** The port of loopback at which the target is reached through this network. */
  async listen(): Promise<number> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    return (this.#server.address() as AddressInfo).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #join(client: Socket, target: Socket): void {
    const both = [client, target];
    const cut = () => {
      for (const socket of both) socket.destroy();
    };
    const { cutsPerMinute } = this.#network;
    const timer = cutsPerMinute > 0 ? setTimeout(cut, this.#untilCutMs()) : undefined;
    for (const socket of both) {
      this.#sockets.add(socket);
      socket.on("error", cut);
      socket.on("close", () => {
        this.#sockets.delete(socket);
        clearTimeout(timer);
        cut();
      });
    }
    this.#carry(client, target);
    this.#carry(target, client);
  }

  /** Exponentially distributed: a connection is as likely to be cut now as at any other moment. */
  #untilCutMs(): number {
    return (-Math.log(1 - this.#random()) * 60_000) / this.#network.cutsPerMinute;
  }

  /** In order: a piece that is late makes those behind it late. */
  #carry(from: Socket, to: Socket): void {
    let freeAtMs = 0;
    let waitingBytes = 0;
    from.on("data", (bytes: Buffer) => {
      const now = performance.now();
      freeAtMs = Math.max(freeAtMs, now + this.#lateMs());
      waitingBytes += bytes.byteLength;
      if (waitingBytes > MAX_WAITING_BYTES) from.pause();
      setTimeout(() => {
        waitingBytes -= bytes.byteLength;
        if (!to.destroyed) to.write(bytes);
        if (waitingBytes <= MAX_WAITING_BYTES) from.resume();
      }, freeAtMs - now);
    });
  }

  #lateMs(): number {
    const { delayMs, jitterMs, lossShare } = this.#network;
    const lost = this.#random() < lossShare ? RETRANSMIT_MS : 0;
    return delayMs + jitterMs * this.#random() + lost;
  }
}
