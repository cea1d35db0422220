import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { type HandshakeLimits, HandshakeQueue } from "./handshake-queue.ts";

/** Arriving connections before a queue. */
class Arrivals implements AsyncDisposable {
  readonly begun: Socket[] = [];
  readonly arrived: Socket[] = [];
  readonly taken: boolean[] = [];
  readonly queue: HandshakeQueue;
  readonly #server;
  readonly #clients: Socket[] = [];

  constructor(limits: HandshakeLimits) {
    this.queue = new HandshakeQueue((socket) => this.begun.push(socket), limits);
    this.#server = createServer((socket) => this.arrived.push(socket.on("error", () => {})));
  }

  /** So many connections that have been accepted, and offered to the queue in one turn of the event loop. */
  async offer(count: number): Promise<void> {
    if (!this.#server.listening) await once(this.#server.listen(0, "127.0.0.1"), "listening");
    const wanted = this.arrived.length + count;
    const { port } = this.#server.address() as AddressInfo;
    for (let left = count; left > 0; left -= 1) this.#clients.push(connect(port, "127.0.0.1"));
    while (this.arrived.length < wanted) await nextTurn();
    for (const socket of this.arrived.slice(wanted - count)) this.taken.push(this.queue.take(socket));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of [...this.#clients, ...this.arrived]) socket.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }
}

test("handshakes begin so many a turn of the event loop, in the order of arrival", async () => {
  await using arrivals = new Arrivals({ perTurn: 2, inFlight: 100, waiting: 100 });
  await arrivals.offer(7);
  assert.deepEqual([arrivals.begun.length, arrivals.queue.waiting], [0, 7]);
  let before = 0;
  while (arrivals.begun.length < 7) {
    await nextTurn();
    assert.ok(arrivals.begun.length - before <= 2);
    before = arrivals.begun.length;
  }
  assert.deepEqual(arrivals.begun, arrivals.arrived);
});

test("no more handshakes begin than may be in flight, and one that is over or whose connection closes makes room", async () => {
  await using arrivals = new Arrivals({ perTurn: 10, inFlight: 2, waiting: 100 });
  await arrivals.offer(4);
  while (arrivals.begun.length < 2) await nextTurn();
  for (let turn = 0; turn < 10; turn += 1) await nextTurn();
  assert.equal(arrivals.begun.length, 2);
  arrivals.queue.over(arrivals.begun[0]!);
  while (arrivals.begun.length < 3) await nextTurn();
  arrivals.begun[1]!.destroy();
  while (arrivals.begun.length < 4) await nextTurn();
});

test("a connection that is not there any more does not take its turn, and one too many is not taken", async () => {
  await using arrivals = new Arrivals({ perTurn: 1, inFlight: 1, waiting: 2 });
  await arrivals.offer(1);
  while (arrivals.begun.length < 1) await nextTurn();
  await arrivals.offer(3);
  assert.deepEqual(arrivals.taken, [true, true, true, false]);
  arrivals.arrived[1]!.destroy();
  await once(arrivals.arrived[1]!, "close");
  assert.equal(arrivals.queue.waiting, 1);
  arrivals.queue.over(arrivals.begun[0]!);
  while (arrivals.begun.length < 2) await nextTurn();
  assert.equal(arrivals.begun[1], arrivals.arrived[2]);
});
