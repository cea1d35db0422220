import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import { EchoServer, eventually, FrameClient, frameText, requestBlock } from "../testing/http2-echo.ts";
import { DEFAULT_WINDOW_BYTES, ERROR, FLAG, FRAME, MAX_FRAME_BYTES, SETTING, uint16, uint32 } from "./frame.ts";

const END = FLAG.endStream | FLAG.endHeaders;

const open: { stop(): unknown }[] = [];
afterEach(async () => {
  for (const part of open.splice(0).reverse()) await part.stop();
});

async function connected(limits: ConstructorParameters<typeof EchoServer>[0] = {}) {
  const server = await new EchoServer(limits).start();
  const client = new FrameClient(server.port);
  open.push(server, { stop: () => client.close() });
  return { server, client };
}

const get = (stream: number, path: string) => frameText(FRAME.headers, END, stream, requestBlock("GET", path));
const post = (stream: number, path: string) =>
  frameText(FRAME.headers, FLAG.endHeaders, stream, requestBlock("POST", path));
const window = (stream: number, bytes: number) => frameText(FRAME.windowUpdate, 0, stream, uint32(bytes));
const initialWindow = (bytes: number) => uint16(SETTING.initialWindowSize) + uint32(bytes);

/** Resolves once the server has read everything that was sent, and has nothing more to write. */
async function settled(client: FrameClient): Promise<void> {
  const before = client.of(FRAME.ping).length;
  client.send(frameText(FRAME.ping, 0, 0, "12345678"));
  await eventually(() => client.of(FRAME.ping).length > before, "the answer to a ping");
}

const isEnded = (client: FrameClient, stream: number) =>
  client.of(FRAME.data, stream).some(({ flags }) => (flags & FLAG.endStream) !== 0);

describe("what the server sends", () => {
  it("is as much as the windows have room for, and goes on as they open", async () => {
    const { client } = await connected();
    client.greet(initialWindow(10)).send(get(1, "/octets/40"));
    await settled(client);
    assert.equal(client.dataOf(1), 10);
    client.send(window(1, 5));
    await settled(client);
    assert.equal(client.dataOf(1), 15);
    client.send(window(1, 25));
    await eventually(() => isEnded(client, 1), "the end");
    assert.equal(client.dataOf(1), 40);
  });

  it("follows a change of the initial window, also where it makes a window less than nothing", async () => {
    const { client } = await connected();
    client.greet(initialWindow(10)).send(get(1, "/octets/40"));
    await settled(client);
    client.send(frameText(FRAME.settings, 0, 0, initialWindow(4)) + window(1, 6));
    await settled(client);
    assert.equal(client.dataOf(1), 10);
    client.send(frameText(FRAME.settings, 0, 0, initialWindow(34)));
    await eventually(() => isEnded(client, 1), "the end");
    assert.equal(client.dataOf(1), 40);
  });

  it("has room in the connection's window too, which streams share by turns", async () => {
    const { client } = await connected();
    client.greet(initialWindow(1_000_000)).send(get(1, "/octets/900000") + get(3, "/octets/900000"));
    await settled(client);
    assert.equal(client.dataOf(1) + client.dataOf(3), DEFAULT_WINDOW_BYTES);
    const before = client.dataOf(3);
    client.send(window(0, 4 * MAX_FRAME_BYTES));
    await settled(client);
    assert.equal(client.dataOf(3) - before, 2 * MAX_FRAME_BYTES);
    client.send(window(0, 3_000_000));
    await eventually(() => isEnded(client, 1) && isEnded(client, 3), "the ends");
    assert.deepEqual([client.dataOf(1), client.dataOf(3)], [900_000, 900_000]);
  });

  it("stands in frames that every client takes", async () => {
    const { client } = await connected();
    client.greet(uint16(SETTING.maxFrameSize) + uint32(1_000_000)).send(get(1, "/octets/60000"));
    await eventually(() => isEnded(client, 1), "the end");
    assert.ok(client.frames.every(({ payload }) => payload.length <= MAX_FRAME_BYTES));
  });

  it("ends with its head or its last data where it can, and else with an empty frame that needs no window", async () => {
    const { client } = await connected();
    client.greet(initialWindow(0)).send(get(1, "/octets/0"));
    await eventually(() => isEnded(client, 1) || client.of(FRAME.headers, 1).length > 0, "the answer");
    assert.equal(client.of(FRAME.headers, 1)[0]!.flags & FLAG.endStream, FLAG.endStream);
    client.send(get(3, "/abc") + window(3, 4));
    await eventually(() => isEnded(client, 3), "the end");
    assert.equal(client.of(FRAME.data, 3).length, 1);
  });

  it("waits in the server as heads too while the client does not read, and the client is dropped in the end", async () => {
    const { server, client } = await connected({ writeTimeoutMs: 100 });
    client.greet(initialWindow(2 ** 31 - 1)).send(window(0, 2 ** 31 - 1 - DEFAULT_WINDOW_BYTES));
    await settled(client);
    client.socket.pause();
    client.send(get(1, "/octets/99000000"));
    const head = (stream: number) => frameText(FRAME.headers, END, stream, requestBlock("HEAD", "/octets/0"));
    await eventually(() => server.open === 1, "the request");
    for (let stream = 3; stream < 203; stream += 2) client.send(head(stream));
    await eventually(() => server.connections === 0, "the end of the connection");
    assert.equal(server.open, 0);
  });
});

describe("what the client sends", () => {
  it("is granted anew as it is taken, on the stream and on the connection", async () => {
    const { server, client } = await connected();
    client.greet().send(post(1, "/hold"));
    const connectionBytes = DEFAULT_WINDOW_BYTES + grants(client, 0);
    for (let sent = 0; sent < 200; sent++) {
      await eventually(() => DEFAULT_WINDOW_BYTES + grants(client, 1) >= (sent + 1) * 10_000, "room on the stream");
      client.send(frameText(FRAME.data, 0, 1, "x".repeat(10_000)));
    }
    await eventually(() => server.bodyBytes === 2_000_000, "all of the body");
    assert.ok(connectionBytes + grants(client, 0) > 2_000_000);
  });

  it("is not granted anew while it is not taken, and does not hold other streams back", async () => {
    const { server, client } = await connected();
    client.greet().send(post(1, "/pause"));
    for (let sent = 0; sent < 4; sent++)
      client.send(frameText(FRAME.data, 0, 1, "x".repeat(DEFAULT_WINDOW_BYTES >> 2)));
    await settled(client);
    assert.deepEqual([grants(client, 1), server.bodyBytes], [0, DEFAULT_WINDOW_BYTES - 3]);
    client.send(post(3, "/") + frameText(FRAME.data, FLAG.endStream, 3, "hello"));
    await eventually(() => isEnded(client, 3), "the other's answer");
    assert.equal(client.dataOf(3), 5);
  });

  it("counts with its padding", async () => {
    const { client } = await connected();
    client.greet().send(post(1, "/pause"));
    for (let sent = 0; sent < 256; sent++)
      client.send(frameText(FRAME.data, FLAG.padded, 1, `\xff${"x".repeat(1)}${"\0".repeat(255)}`));
    await eventually(() => client.resetOf(1) !== undefined, "the end of the stream");
    assert.equal(client.resetOf(1), ERROR.flowControl);
  });
});

function grants(client: FrameClient, stream: number): number {
  const updates = client.of(FRAME.windowUpdate, stream);
  return updates.reduce((sum, { payload }) => sum + Buffer.from(payload, "latin1").readUInt32BE(0), 0);
}
