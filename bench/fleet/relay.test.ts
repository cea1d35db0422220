import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server } from "node:net";
import { text } from "node:stream/consumers";
import { after, before, test } from "node:test";
import { type Network, Relay } from "./relay.ts";

let echo: Server;
const GOOD: Network = { delayMs: 0, jitterMs: 0, lossShare: 0, cutsPerMinute: 0 };

before(async () => {
  echo = createServer((socket) => socket.on("error", () => {}).pipe(socket)).listen(0, "127.0.0.1");
  await once(echo, "listening");
});
after(() => echo.close());

async function through(network: Network) {
  const relay = new Relay({ host: "127.0.0.1", port: (echo.address() as AddressInfo).port }, network);
  return { relay, port: await relay.listen() };
}

test("everything arrives, in order, through delay, jitter and loss", async () => {
  const { relay, port } = await through({ ...GOOD, delayMs: 2, jitterMs: 20, lossShare: 0.1 });
  await using _ = relay;
  const sent = Array.from({ length: 200 }, (_, index) => `piece ${index};`).join("");
  const socket = connect(port, "127.0.0.1");
  for (const piece of sent.match(/.{1,40}/g)!) socket.write(piece);
  let received = "";
  socket.setEncoding("utf8").on("data", (piece: string) => {
    received += piece;
    if (received.length === sent.length) socket.destroy();
  });
  await once(socket, "close");
  assert.equal(received, sent);
});

test("an answer takes at least the delay of both ways", async () => {
  const { relay, port } = await through({ ...GOOD, delayMs: 30 });
  await using _ = relay;
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  const startMs = performance.now();
  socket.write("x");
  await once(socket, "data");
  // A timer may fire up to a millisecond early.
  assert.ok(performance.now() - startMs >= 58);
  socket.destroy();
});

test("connections are cut on both sides", async () => {
  const { relay, port } = await through({ ...GOOD, cutsPerMinute: 60_000 });
  await using _ = relay;
  const socket = connect(port, "127.0.0.1");
  assert.equal(await text(socket), "");
});
