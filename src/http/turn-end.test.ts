import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { describe, it } from "node:test";
import { OctetBuffers } from "./octet-buffers.ts";
import { connectInto } from "./socket-reader.ts";
import { SocketWriter } from "./socket-writer.ts";
import { TurnEnd } from "./turn-end.ts";

const afterTurn = () => new Promise((resolve) => setImmediate(resolve));

describe("the end of a turn", () => {
  it("flushes in the order of the first flush, each once, and is there for the next turn too", async () => {
    const turnEnd = new TurnEnd();
    const flushed: string[] = [];
    const named = (name: string) => ({ flushNow: () => void flushed.push(name) });
    turnEnd.add(named("a"));
    turnEnd.add(named("b"));
    assert.deepEqual(flushed, []);
    await afterTurn();
    assert.deepEqual(flushed, ["a", "b"]);
    turnEnd.add(named("c"));
    await afterTurn();
    assert.deepEqual(flushed, ["a", "b", "c"]);
  });

  it("does not let many wait for each other", () => {
    const turnEnd = new TurnEnd();
    let flushed = 0;
    for (let count = 0; count < 1_000; count++) turnEnd.add({ flushNow: () => void flushed++ });
    assert.ok(flushed > 500 && flushed < 1_000, `${flushed} of 1000 were flushed`);
  });

  it("is when a socket is written to: once for all that was flushed, in order, with what was too large to wait", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as { port: number };
    const buffers = new OctetBuffers();
    const peer = { host: "127.0.0.1", name: "127.0.0.1", port, tls: undefined };
    const socket = connectInto(buffers.read, { onBytes() {} }, peer);
    const [accepted] = (await once(server, "connection")) as [Socket];
    const writer = new SocketWriter(socket, buffers);
    const large = "x".repeat(20_000);
    for (const text of ["one ", "two ", "three "]) {
      writer.text(text);
      writer.flush();
    }
    assert.equal(socket.bytesWritten, 0);
    await afterTurn();
    assert.equal(socket.bytesWritten, "one two three ".length);
    writer.text("four ");
    writer.flush();
    writer.bytes(Buffer.from(large), 0, large.length);
    writer.text(" five");
    writer.flush();
    await afterTurn();
    let received = "";
    for await (const bytes of accepted.setEncoding("latin1")) {
      received += bytes;
      if (received.endsWith("five")) break;
    }
    assert.equal(received, `one two three four ${large} five`);
    socket.destroy();
    server.close();
  });
});
