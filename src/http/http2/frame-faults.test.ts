import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import { EchoServer, eventually, FrameClient, frameText, literals, requestBlock } from "../testing/http2-echo.ts";
import { ERROR, FLAG, FRAME, SETTING, uint16, uint32 } from "./frame.ts";

const END = FLAG.endStream | FLAG.endHeaders;
const PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

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

const get = (stream: number, path = "/") => frameText(FRAME.headers, END, stream, requestBlock("GET", path));
const post = (stream: number, path = "/hold") =>
  frameText(FRAME.headers, FLAG.endHeaders, stream, requestBlock("POST", path));
const data = (stream: number, text: string, flags = 0) => frameText(FRAME.data, flags, stream, text);
const setting = (name: number, value: number) => frameText(FRAME.settings, 0, 0, uint16(name) + uint32(value));
const window = (stream: number, bytes: number) => frameText(FRAME.windowUpdate, 0, stream, uint32(bytes));
const reset = (stream: number) => frameText(FRAME.rstStream, 0, stream, uint32(ERROR.cancel));

/** What ends a connection (RFC 9113 §5.4.1): the code of the GOAWAY, and what is sent after the preface. */
const CONNECTION_FAULTS: Readonly<Record<string, readonly [code: number, text: string]>> = {
  // §4.1, §4.2
  "a frame larger than SETTINGS_MAX_FRAME_SIZE": [ERROR.frameSize, frameText(FRAME.ping, 0, 0, "x".repeat(16_385))],
  "a frame of DATA that is larger": [ERROR.frameSize, post(1) + data(1, "x".repeat(16_385))],
  // §4.3
  "a header block that is none": [ERROR.compression, frameText(FRAME.headers, END, 1, "\x80")],
  "trailers that are no header block": [ERROR.compression, post(1) + frameText(FRAME.headers, END, 1, "\xff")],
  // §5.1
  "DATA on a stream that was not opened": [ERROR.protocol, data(1, "x")],
  "RST_STREAM on a stream that was not opened": [ERROR.protocol, reset(1)],
  "WINDOW_UPDATE on a stream that was not opened": [ERROR.protocol, window(1, 1)],
  "DATA on a stream that is closed": [ERROR.streamClosed, get(1) + data(1, "x")],
  "HEADERS on a stream that is closed": [ERROR.streamClosed, get(1) + get(1)],
  // §5.1.1
  "a stream of an even number": [ERROR.protocol, get(2)],
  "a stream of a lower number than one before": [ERROR.streamClosed, get(5) + get(3)],
  // §6.1
  "DATA on the connection": [ERROR.protocol, data(0, "x")],
  "DATA with more padding than room": [ERROR.protocol, post(1) + data(1, "\x05abcd", FLAG.padded)],
  "DATA padded without the length of the padding": [ERROR.protocol, post(1) + data(1, "", FLAG.padded)],
  // §6.2
  "HEADERS on the connection": [ERROR.protocol, get(0)],
  "HEADERS with more padding than room": [ERROR.protocol, frameText(FRAME.headers, END | FLAG.padded, 1, "\x05abcd")],
  "HEADERS with padding in the place of the priority": [
    ERROR.protocol,
    frameText(FRAME.headers, END | FLAG.padded | FLAG.priority, 1, "\x04\0\0\0\0\0"),
  ],
  "HEADERS shorter than the priority": [ERROR.frameSize, frameText(FRAME.headers, END | FLAG.priority, 1, "\0\0\0")],
  // §6.3
  "PRIORITY on the connection": [ERROR.protocol, frameText(FRAME.priority, 0, 0, "\0\0\0\0\0")],
  "PRIORITY of another size": [ERROR.frameSize, frameText(FRAME.priority, 0, 1, "\0\0\0\0")],
  // §6.4
  "RST_STREAM on the connection": [ERROR.protocol, reset(0)],
  "RST_STREAM of another size": [ERROR.frameSize, post(1) + frameText(FRAME.rstStream, 0, 1, "\0\0\0")],
  // §6.5
  "SETTINGS on a stream": [ERROR.protocol, frameText(FRAME.settings, 0, 1, "")],
  "SETTINGS of another size": [ERROR.frameSize, frameText(FRAME.settings, 0, 0, "\0\x01\0\0\0")],
  "SETTINGS that acknowledge and say something": [
    ERROR.frameSize,
    frameText(FRAME.settings, FLAG.ack, 0, "\0".repeat(6)),
  ],
  "SETTINGS_ENABLE_PUSH of 2": [ERROR.protocol, setting(SETTING.enablePush, 2)],
  "SETTINGS_INITIAL_WINDOW_SIZE of 2^31": [ERROR.flowControl, setting(SETTING.initialWindowSize, 2 ** 31)],
  "SETTINGS_MAX_FRAME_SIZE of 16383": [ERROR.protocol, setting(SETTING.maxFrameSize, 16_383)],
  "SETTINGS_MAX_FRAME_SIZE of 2^24": [ERROR.protocol, setting(SETTING.maxFrameSize, 2 ** 24)],
  "SETTINGS_NO_RFC7540_PRIORITIES of 2": [ERROR.protocol, setting(SETTING.noPriorities, 2)],
  // §6.6
  PUSH_PROMISE: [ERROR.protocol, post(1) + frameText(FRAME.pushPromise, FLAG.endHeaders, 1, "\0\0\0\x02")],
  // §6.7
  "PING on a stream": [ERROR.protocol, frameText(FRAME.ping, 0, 1, "12345678")],
  "PING of another size": [ERROR.frameSize, frameText(FRAME.ping, 0, 0, "1234567")],
  // §6.8
  "GOAWAY on a stream": [ERROR.protocol, frameText(FRAME.goaway, 0, 1, "\0".repeat(8))],
  "GOAWAY that is too short": [ERROR.frameSize, frameText(FRAME.goaway, 0, 0, "\0".repeat(7))],
  // §6.9
  "WINDOW_UPDATE of another size": [ERROR.frameSize, frameText(FRAME.windowUpdate, 0, 0, "\0\0\x01")],
  "WINDOW_UPDATE by nothing on the connection": [ERROR.protocol, window(0, 0)],
  "a window of the connection beyond 2^31-1": [ERROR.flowControl, window(0, 2 ** 31 - 1)],
  "SETTINGS that widen a stream's window beyond 2^31-1": [
    ERROR.flowControl,
    post(1) + window(1, 2 ** 31 - 1 - 65_535) + setting(SETTING.initialWindowSize, 65_536),
  ],
  // §6.10
  "CONTINUATION behind nothing": [ERROR.protocol, frameText(FRAME.continuation, FLAG.endHeaders, 1, "")],
  "CONTINUATION behind the end of the block": [ERROR.protocol, post(1) + frameText(FRAME.continuation, 4, 1, "")],
  "CONTINUATION on another stream": [
    ERROR.protocol,
    frameText(FRAME.headers, 0, 1, "") + frameText(FRAME.continuation, FLAG.endHeaders, 3, ""),
  ],
  "another frame within a header block": [
    ERROR.protocol,
    frameText(FRAME.headers, 0, 1, "") + frameText(FRAME.ping, 0, 0, "12345678"),
  ],
  "a frame of an unknown type within a header block": [
    ERROR.protocol,
    frameText(FRAME.headers, 0, 1, "") + frameText(99, 0, 1, ""),
  ],
  "a header block in too many pieces": [
    ERROR.enhanceYourCalm,
    frameText(FRAME.headers, 0, 1, "") + frameText(FRAME.continuation, 0, 1, "").repeat(40),
  ],
  "a header block with too many octets": [
    ERROR.enhanceYourCalm,
    frameText(FRAME.headers, 0, 1, "") + frameText(FRAME.continuation, 0, 1, "x".repeat(16_384)).repeat(4),
  ],
};

/** What ends a stream (RFC 9113 §5.4.2): the code of its RST_STREAM. */
const STREAM_FAULTS: Readonly<Record<string, readonly [code: number, text: string]>> = {
  "DATA behind its end": [ERROR.streamClosed, get(1, "/hold") + data(1, "x")],
  "HEADERS behind its end": [ERROR.streamClosed, get(1, "/hold") + get(1)],
  "trailers that do not end it": [
    ERROR.protocol,
    post(1) + frameText(FRAME.headers, FLAG.endHeaders, 1, literals(["x", "y"])),
  ],
  "WINDOW_UPDATE by nothing": [ERROR.protocol, post(1) + window(1, 0)],
  "a window beyond 2^31-1": [ERROR.flowControl, post(1) + window(1, 2 ** 31 - 1)],
  "more data than its window has room for": [
    ERROR.flowControl,
    post(1, "/pause") + data(1, "x".repeat(16_384)).repeat(5),
  ],
  "data that its Content-Length of 0 denies": [
    ERROR.protocol,
    frameText(FRAME.headers, FLAG.endHeaders, 1, requestBlock("POST", "/hold", ["content-length", "0"])) + data(1, "x"),
  ],
  "more streams at a time than there may be": [
    ERROR.refusedStream,
    Array.from({ length: 100 }, (_, index) => post(2 * index + 3)).join("") + post(203),
  ],
};

describe("a connection of HTTP/2", () => {
  for (const [what, [code, text]] of Object.entries(CONNECTION_FAULTS))
    it(`ends with code ${code} for ${what}`, async () => {
      const { server, client } = await connected();
      client.greet().send(text);
      await eventually(
        () => client.isClosed,
        () => `the end of the connection, after ${JSON.stringify(client.frames)}`,
      );
      assert.equal(client.goaway, code);
      assert.equal(client.frames.at(-1)?.type, FRAME.goaway);
      await eventually(() => server.connections === 0, "the end on the server's side");
      assert.deepEqual([server.open, server.faults], [0, []]);
    });

  for (const [what, text] of Object.entries({
    "something else than the preface": "PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n",
    "a request of HTTP/1.1": "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "another frame than SETTINGS": PREFACE + frameText(FRAME.ping, 0, 0, "12345678"),
    "an acknowledgement of settings": PREFACE + frameText(FRAME.settings, FLAG.ack, 0, ""),
  }))
    it(`ends with code 1 when it begins with ${what}`, async () => {
      const { client } = await connected();
      client.send(text);
      await eventually(() => client.isClosed, "the end of the connection");
      assert.equal(client.goaway, ERROR.protocol);
    });

  for (const [what, one] of Object.entries({
    PING: frameText(FRAME.ping, 0, 0, "12345678"),
    SETTINGS: setting(SETTING.initialWindowSize, 9),
    PRIORITY: frameText(FRAME.priority, 0, 1, "\0\0\0\0\0"),
    "frames of an unknown type": frameText(99, 0, 0, ""),
    "empty frames of DATA": data(1, ""),
    "frames of DATA with nothing but padding": data(1, "\x01\0", FLAG.padded),
    "streams that are refused": "",
    "streams that are taken back": "",
    "streams that are made to fail": "",
  }))
    it(`ends with ENHANCE_YOUR_CALM for very many ${what}`, async () => {
      const { server, client } = await connected({ maxConcurrentStreams: what.includes("refused") ? 1 : 100 });
      client.greet().send(post(1));
      for (let count = 0; count < 400; count++) {
        const stream = 2 * count + 3;
        if (what.includes("refused")) client.send(get(stream));
        else if (what.includes("taken back")) client.send(get(stream, "/hold") + reset(stream));
        else if (what.includes("made to fail")) client.send(get(stream, "/hold") + window(stream, 0));
        else client.send(one);
      }
      await eventually(() => client.isClosed, "the end of the connection");
      assert.deepEqual([client.goaway, server.floods, server.open], [ERROR.enhanceYourCalm, 1, 0]);
    });

  it("ends with ENHANCE_YOUR_CALM when a header block, or a frame, does not end in time", async () => {
    for (const text of [frameText(FRAME.headers, 0, 1, ""), frameText(FRAME.ping, 0, 0, "12345678").slice(0, 12)]) {
      const { client } = await connected({ headTimeoutMs: 50 });
      client.greet().send(text);
      await eventually(() => client.isClosed, "the end of the connection");
      assert.equal(client.goaway, ERROR.enhanceYourCalm);
    }
  });

  it("goes on for what means nothing", async () => {
    const { client } = await connected();
    client.greet(uint16(0xfff) + uint32(1));
    client.send(
      frameText(99, 255, 0, "what") + frameText(98, 0, 7, "") + frameText(FRAME.priority, 0, 9, "\0\0\0\x09\0"),
    );
    client.send(get(1) + window(1, 5) + reset(1) + frameText(FRAME.settings, FLAG.ack, 0, ""));
    client.send(
      frameText(
        FRAME.headers,
        END | FLAG.priority | FLAG.padded,
        3,
        `\x02\0\0\0\x03\0${requestBlock("GET", "/b")}\0\0`,
      ),
    );
    await eventually(() => client.dataOf(3) === 2, "the second answer");
    assert.equal(client.goaway, undefined);
  });
});

describe("a stream of HTTP/2", () => {
  for (const [what, [code, text]] of Object.entries(STREAM_FAULTS))
    it(`ends with code ${code} for ${what}, and the connection goes on`, async () => {
      const { server, client } = await connected();
      const stream = code === ERROR.refusedStream ? 203 : 1;
      client.greet().send(text);
      await eventually(() => client.resetOf(stream) !== undefined, "the end of the stream");
      assert.equal(client.resetOf(stream), code);
      if (code === ERROR.refusedStream) client.send(reset(3));
      // What was on its way on the stream when it was reset is overlooked.
      client.send(data(stream, "x") + frameText(FRAME.headers, END, stream, literals(["x", "y"])));
      client.send(window(stream, 1) + reset(stream) + get(205, "/still-there"));
      await eventually(() => client.dataOf(205) === "/still-there".length, "another answer");
      assert.deepEqual([client.goaway, server.faults], [undefined, []]);
    });

  it("that is refused is told why, and may be followed by others", async () => {
    const { client } = await connected();
    client.greet().send(frameText(FRAME.headers, END, 1, literals([":method", "GET"])) + get(3));
    await eventually(() => client.dataOf(3) === 1, "the answer to the other");
    assert.match(client.of(FRAME.headers, 1)[0]!.payload, /a pseudo-header is missing/);
  });
});
