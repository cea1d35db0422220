import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { FLAG, FRAME, FRAME_HEAD_BYTES, PREFACE } from "../../src/http/http2/frame.ts";
import { frameText } from "../../src/http/testing/http2-echo.ts";
import type { SeededRandom } from "../simulation/seeded-random.ts";

/**
 * Stands before a server of HTTP/2 and says what its clients say in other frames that mean the same: header blocks in any pieces, data in
 * any pieces, both with padding, everything in packets of any size. The server's answers come in packets of any size too.
 */
export class ReframingRelay {
  readonly #server: Server;
  readonly #random: SeededRandom;
  readonly #sockets: Socket[] = [];

  constructor(targetPort: number, random: SeededRandom) {
    this.#random = random;
    this.#server = createServer({ noDelay: true }, (client) => {
      const target = connect({ port: targetPort, host: "127.0.0.1", noDelay: true });
      this.#sockets.push(client, target);
      let held = Buffer.alloc(0);
      let hasPreface = false;
      client.on("data", (bytes: Buffer) => {
        held = Buffer.concat([held, bytes]);
        if (!hasPreface && held.length >= PREFACE.length) {
          hasPreface = true;
          this.#inPackets(target, held.subarray(0, PREFACE.length));
          held = held.subarray(PREFACE.length);
        }
        while (hasPreface && held.length >= FRAME_HEAD_BYTES) {
          const next = FRAME_HEAD_BYTES + held.readUIntBE(0, 3);
          if (held.length < next) break;
          this.#inPackets(target, Buffer.from(this.#reframed(held.subarray(0, next)), "latin1"));
          held = held.subarray(next);
        }
      });
      target.on("data", (bytes: Buffer) => this.#inPackets(client, bytes));
      for (const [one, other] of [
        [client, target],
        [target, client],
      ] as const) {
        one.on("error", () => {});
        one.on("close", () => other.destroy());
      }
    });
  }

  async start(): Promise<number> {
    await once(this.#server.listen(0, "127.0.0.1"), "listening");
    return (this.#server.address() as AddressInfo).port;
  }

  stop(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #inPackets(socket: Socket, bytes: Buffer): void {
    for (let at = 0; at < bytes.length; ) {
      const next = this.#random.chance(0.7) ? bytes.length : at + 1 + this.#random.below(100);
      socket.write(bytes.subarray(at, next));
      at = next;
    }
  }

  #reframed(frame: Buffer): string {
    const type = frame[3]!;
    const flags = frame[4]!;
    const stream = frame.readUInt32BE(5);
    const payload = frame.toString("latin1", FRAME_HEAD_BYTES);
    if (type === FRAME.headers && (flags & (FLAG.padded | FLAG.priority)) === 0)
      return this.#inPieces(payload, (piece, isFirst, isLast) => {
        if (!isFirst) return frameText(FRAME.continuation, isLast ? flags & FLAG.endHeaders : 0, stream, piece);
        return this.#padded(FRAME.headers, isLast ? flags : flags & ~FLAG.endHeaders, stream, piece);
      });
    if (type === FRAME.data && (flags & FLAG.padded) === 0)
      return this.#inPieces(payload, (piece, _, isLast) =>
        frameText(FRAME.data, isLast ? flags : flags & ~FLAG.endStream, stream, piece),
      );
    return frame.toString("latin1");
  }

  /** Up to ten pieces, of which only the last of DATA may be empty: many would be taken for a flood. */
  #inPieces(text: string, write: (piece: string, isFirst: boolean, isLast: boolean) => string): string {
    let out = "";
    let at = 0;
    for (let count = this.#random.below(10); count > 0 && at + 1 < text.length; count--) {
      const next = at + 1 + this.#random.below(text.length - at - 1);
      out += write(text.slice(at, next), at === 0, false);
      at = next;
    }
    return out + write(text.slice(at), at === 0, true);
  }

  #padded(type: number, flags: number, stream: number, payload: string): string {
    if (this.#random.chance(0.5)) return frameText(type, flags, stream, payload);
    const padding = Math.min(this.#random.below(256), 16_383 - payload.length);
    if (padding < 0) return frameText(type, flags, stream, payload);
    return frameText(type, flags | FLAG.padded, stream, String.fromCharCode(padding) + payload + "\0".repeat(padding));
  }
}
