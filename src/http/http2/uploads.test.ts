import assert from "node:assert/strict";
import { connect } from "node:http2";
import { afterEach, describe, it } from "node:test";
import { EchoServer, eventually, FrameClient, frameText, requestBlock } from "../testing/http2-echo.ts";
import { TurnRelay } from "../testing/turn-relay.ts";
import { DEFAULT_WINDOW_BYTES, FLAG, FRAME, MAX_FRAME_BYTES } from "./frame.ts";
import { WindowBudget } from "./window-budget.ts";

const MIB = 1_048_576;
/** By which the windows of a connection may be wider together. */
const BUDGET_BYTES = 4 * MIB;

const open: { stop(): unknown }[] = [];
afterEach(async () => {
  for (const part of open.splice(0).reverse()) await part.stop();
});

/** A client that knows what it may send on its streams. */
class Uploads {
  readonly #server: EchoServer;
  readonly #client: FrameClient;
  readonly #sent = new Map<number, number>();

  private constructor(server: EchoServer) {
    this.#server = server;
    this.#client = new FrameClient(server.port).greet();
    open.push(server, { stop: () => this.#client.close() });
  }

  static async start(): Promise<Uploads> {
    const uploads = new Uploads(await new EchoServer().start());
    await uploads.#settled();
    return uploads;
  }

  begin(path: string, ...streams: readonly number[]): void {
    for (const stream of streams) {
      this.#sent.set(stream, 0);
      this.#client.send(frameText(FRAME.headers, FLAG.endHeaders, stream, requestBlock("POST", path)));
    }
  }

  /** What the stream may still be sent. */
  roomOf(stream: number): number {
    return DEFAULT_WINDOW_BYTES + this.#granted(stream) - (this.#sent.get(stream) ?? 0);
  }

  /** Sends so much of what it may on each stream, and lets the server see it. */
  async send(share: number): Promise<void> {
    let room = DEFAULT_WINDOW_BYTES + this.#granted(0) - [...this.#sent.values()].reduce((sum, sent) => sum + sent, 0);
    const before = this.#server.bodyBytes;
    let all = 0;
    for (const stream of this.#sent.keys()) {
      const bytes = Math.min(Math.ceil(share * this.roomOf(stream)), room);
      room -= bytes;
      all += bytes;
      this.#sent.set(stream, this.#sent.get(stream)! + bytes);
      for (let left = bytes; left > 0; left -= MAX_FRAME_BYTES)
        this.#client.send(frameText(FRAME.data, 0, stream, "x".repeat(Math.min(left, MAX_FRAME_BYTES))));
    }
    await eventually(() => this.#server.bodyBytes === before + all, "all that was sent is there");
    await this.#settled();
  }

  async end(): Promise<void> {
    for (const stream of this.#sent.keys()) this.#client.send(frameText(FRAME.data, FLAG.endStream, stream, ""));
    await this.#settled();
    await this.#settled();
    this.#sent.clear();
  }

  async #settled(): Promise<void> {
    const before = this.#client.of(FRAME.ping).length;
    this.#client.send(frameText(FRAME.ping, 0, 0, "12345678"));
    await eventually(() => this.#client.of(FRAME.ping).length > before, "the answer to a ping");
  }

  #granted(stream: number): number {
    const updates = this.#client.of(FRAME.windowUpdate, stream);
    return updates.reduce((sum, { payload }) => sum + Buffer.from(payload, "latin1").readUInt32BE(0), 0);
  }
}

const odd = (count: number, first = 1) => Array.from({ length: count }, (_, at) => first + 2 * at);

describe("the window of an upload", () => {
  it("becomes wider while all that comes is taken at once, and never wider than 1 MiB", async () => {
    const client = await Uploads.start();
    client.begin("/hold", 1);
    const rooms: number[] = [];
    for (let turn = 0; turn < 7; turn++) {
      rooms.push(client.roomOf(1));
      await client.send(1 / 2);
    }
    const first = DEFAULT_WINDOW_BYTES;
    assert.deepEqual(rooms, [first, 2 * first, 4 * first, 8 * first, 16 * first, MIB, MIB]);
  });

  it("stays as it is where the upload had to wait, so that nothing more has to be kept", async () => {
    const client = await Uploads.start();
    client.begin("/hesitate", 1);
    for (let turn = 0; turn < 8; turn++) {
      await client.send(1);
      await eventually(() => client.roomOf(1) > 0, "room for more");
      assert.ok(client.roomOf(1) <= DEFAULT_WINDOW_BYTES);
    }
  });

  it("is wider only as far as the budget of the connection goes, which uploads that end give back", async () => {
    const client = await Uploads.start();
    for (const streams of [odd(40), odd(40, 101)]) {
      client.begin("/octets/0", ...streams);
      for (let turn = 0; turn < 7; turn++) await client.send(1 / 2);
      const wider = streams.reduce((sum, stream) => sum + client.roomOf(stream) - DEFAULT_WINDOW_BYTES, 0);
      assert.ok(wider <= BUDGET_BYTES && wider > BUDGET_BYTES - MIB, String(wider));
      await client.end();
    }
  });

  it("lets a client on a long path send in a few turns what would take many", async () => {
    const server = await new EchoServer().start();
    const relay = await new TurnRelay(server.port).start();
    const session = connect(`http://127.0.0.1:${relay.port}`);
    open.push(server, relay, { stop: () => session.destroy() });
    const stream = session.request({ ":method": "POST", ":path": "/octets/0" });
    stream.end(Buffer.alloc(16 * MIB));
    await new Promise((resolve) => stream.resume().on("end", resolve));
    assert.equal(server.bodyBytes, 16 * MIB);
    // With a window of 64 KiB they would be 256 or more.
    assert.ok(relay.turns < 64, String(relay.turns));
  });
});

describe("a budget of windows", () => {
  it("gives what there is, and no more than there is of the larger one that it is a share of", () => {
    const whole = new WindowBudget(10);
    const [a, b] = [new WindowBudget(8, whole), new WindowBudget(8, whole)];
    assert.deepEqual([a.take(5), a.take(5), b.take(5), b.take(1)], [5, 3, 2, 0]);
    a.giveBack(8);
    assert.deepEqual([b.take(9), a.take(9), whole.take(1)], [6, 2, 0]);
  });
});
