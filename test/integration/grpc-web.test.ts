import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { create, createFileRegistry } from "@bufbuild/protobuf";
import { BytesValueSchema, FileDescriptorProtoSchema, file_google_protobuf_wrappers } from "@bufbuild/protobuf/wkt";
import { type CallOptions, Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import { PLUGINS } from "../../src/plugins/index.ts";
import { RawOrigin, TestProxy } from "../../src/proxy/testing/test-proxy.ts";
import { eventually } from "../support/eventually.ts";
import { FAILURE_MESSAGE, GrpcEchoServer } from "../support/grpc-echo-server.ts";

const TEXT = "application/grpc-web-text+proto";

/** The service as a page has it from its .proto file. */
function echoService() {
  const message = ".google.protobuf.BytesValue";
  const method = (name: string, serverStreaming = false) => ({
    ...{ name, inputType: message, outputType: message, serverStreaming },
  });
  const file = create(FileDescriptorProtoSchema, {
    ...{ name: "echo.proto", package: "test", syntax: "proto3", dependency: ["google/protobuf/wrappers.proto"] },
    service: [
      { name: "Echo", method: [method("Unary"), method("Fail"), method("Repeat", true), method("Hang", true)] },
    ],
  });
  const registry = createFileRegistry(file, () => file_google_protobuf_wrappers.proto);
  return registry.getService("test.Echo")!;
}

type Message = { readonly value: Uint8Array };
type Call<Answer> = (request: Message, options?: CallOptions) => Answer;
interface EchoClient {
  readonly unary: Call<Promise<Message>>;
  readonly fail: Call<Promise<Message>>;
  readonly repeat: Call<AsyncIterable<Message>>;
  readonly hang: Call<AsyncIterable<Message>>;
}

function clientOf(baseUrl: string): EchoClient {
  return createClient(echoService(), createGrpcWebTransport({ baseUrl })) as unknown as EchoClient;
}

const messageOf = (text: string) => create(BytesValueSchema, { value: Buffer.from(text) });
const textOf = ({ value }: Message) => Buffer.from(value).toString();

async function errorOf(call: Promise<unknown>): Promise<ConnectError> {
  return ConnectError.from(
    await call.then(
      () => assert.fail("it did not fail"),
      (reason: unknown) => reason,
    ),
  );
}

async function allOf(call: AsyncIterable<Message>): Promise<string[]> {
  const texts: string[] = [];
  for await (const message of call) texts.push(textOf(message));
  return texts;
}

/** A message in its frame. */
function frame(text: string, flags = 0): Buffer {
  const octets = Buffer.alloc(5 + text.length);
  octets.writeUInt8(flags);
  octets.writeUInt32BE(text.length, 1);
  octets.write(text, 5);
  return octets;
}

/** The frames of a body: flags and text. */
function framesOf(body: Buffer): [number, string][] {
  const frames: [number, string][] = [];
  for (let at = 0; at < body.length; ) {
    const end = at + 5 + body.readUInt32BE(at + 1);
    frames.push([body[at]!, body.toString("latin1", at + 5, end)]);
    at = end;
  }
  return frames;
}

/** What text in base64 says whose parts are padded where somebody waited. */
function fromText(text: string): Buffer {
  return Buffer.concat((text.match(/[^=]+=*/g) ?? []).map((part) => Buffer.from(part, "base64")));
}

describe("gRPC-Web through the gateway, to a grpc-js server", () => {
  const server = new GrpcEchoServer();
  const gateway = new TestProxy(PLUGINS);
  const broken = new RawOrigin((socket) => socket.end("this is not HTTP/2"));
  let url: string;

  before(async () => {
    await server.start();
    await broken.start();
    const to = (target: string) => ({ path_prefix: true, backends: [{ url: target, http2: true }] });
    await gateway.apply({
      routes: {
        echo: { path: "/test.Echo", ...to(`http://127.0.0.1:${server.port}`) },
        packed: {
          ...{ path: "/packed", strip_prefix: true, ...to(`http://127.0.0.1:${server.port}`) },
          compression: { enabled: true, min_size: 1, content_types: ["application/grpc-web+proto"] },
        },
        dead: { path: "/test.Dead", ...to(broken.url) },
      },
    });
    url = `http://127.0.0.1:${gateway.port}`;
  });
  after(async () => {
    await gateway.stop();
    await broken.stop();
    server.stop();
  });

  const post = (path: string, body: string | Buffer, type = "application/grpc-web+proto", fields = {}) =>
    fetch(url + path, { method: "POST", body, headers: { "Content-Type": type, ...fields } });

  describe("of a client library for browsers", () => {
    let client: EchoClient;
    before(() => {
      client = clientOf(url);
    });

    it("makes unary calls, many at a time, small and large, with metadata both ways", async () => {
      const call = async (text: string) => {
        let trailing: string | null = null;
        const onTrailer = (trailers: Headers) => {
          trailing = trailers.get("x-trailing");
        };
        return [textOf(await client.unary(messageOf(text), { headers: { "x-name": "runway" }, onTrailer })), trailing];
      };
      const texts = [...Array.from({ length: 50 }, (_, index) => `hello ${index}`), "x".repeat(1_000_000), ""];
      assert.deepEqual(
        await Promise.all(texts.map(call)),
        texts.map((text) => [text, "runway"]),
      );
    });

    it("is streamed to", async () => {
      const texts = await allOf(client.repeat(messageOf("again")));
      assert.deepEqual([texts.length, new Set(texts)], [100, new Set(["again"])]);
    });

    it("is told how its call failed", async () => {
      const error = await errorOf(client.fail(messageOf("")));
      assert.deepEqual([error.code, error.rawMessage], [Code.AlreadyExists, FAILURE_MESSAGE]);
    });

    it("has a deadline that ends the call at the server too", async () => {
      const error = await errorOf(allOf(client.hang(messageOf("too late"), { timeoutMs: 200 })));
      assert.equal(error.code, Code.DeadlineExceeded);
      await eventually("the server's cancellation", () => server.cancelled.some((text) => text.includes("too late")));
    });

    it("is told of what the gateway refuses", async () => {
      const error = await errorOf(clientOf(`${url}/nobody`).unary(messageOf("")));
      assert.equal(error.code, Code.Unimplemented);
      assert.match(error.rawMessage, /^RW_ROUTE_NOT_FOUND: /);
    });
  });

  it("puts the trailers into a last frame of the body", async () => {
    const answer = await post("/test.Echo/Unary", frame("hello"));
    assert.equal(answer.headers.get("content-type"), "application/grpc-web+proto");
    const frames = framesOf(Buffer.from(await answer.arrayBuffer()));
    assert.deepEqual(frames[0], [0, "hello"]);
    assert.equal(frames[1]![0], 0x80);
    assert.match(frames[1]![1], /^grpc-status: 0\r\n/m);
  });

  it("takes and gives text in base64, in parts of any length", async () => {
    const text = frame("hello").toString("base64") + frame("").toString("base64");
    const parts = new ReadableStream<Uint8Array>({
      start(controller) {
        for (const character of text) controller.enqueue(Buffer.from(character));
        controller.close();
      },
    });
    const fields = { "Content-Type": TEXT };
    const once = await fetch(`${url}/test.Echo/Collect`, {
      method: "POST",
      body: parts,
      headers: fields,
      duplex: "half",
    });
    assert.equal(once.headers.get("content-type"), TEXT);
    assert.deepEqual(framesOf(fromText(await once.text()))[0], [0, "hello"]);
  });

  it("gives text to who asks for it, whatever it sent", async () => {
    const answer = await post("/test.Echo/Unary", frame("hello"), undefined, { Accept: TEXT });
    assert.deepEqual(framesOf(fromText(await answer.text()))[0], [0, "hello"]);
  });

  it("does not keep a message back whose text is not a whole quantum", async () => {
    for (const message of ["a", "ab", "abc"]) {
      const ended = new AbortController();
      const headers = { "Content-Type": TEXT };
      const body = frame(message).toString("base64");
      const call = await fetch(`${url}/test.Echo/Hang`, { method: "POST", headers, body, signal: ended.signal });
      let text = "";
      for await (const piece of call.body!) {
        text += Buffer.from(piece).toString();
        if (fromText(text).equals(frame(message))) break;
      }
      ended.abort();
    }
  });

  it("refuses text that is not base64, or not whole", async () => {
    for (const body of ["AAAA*AAA", "AAAAA"]) {
      const answer = await post("/test.Echo/Unary", body, TEXT);
      const [[flags, trailers] = []] = framesOf(fromText(await answer.text()));
      assert.equal(flags, 0x80);
      assert.match(trailers!, /^grpc-status: 13\r\ngrpc-message: RW_BAD_REQUEST: .*base64/);
    }
  });

  it("tells in the body that the target failed", async () => {
    const answer = await post("/test.Dead/Call", frame("hello"));
    const [[flags, trailers] = []] = framesOf(Buffer.from(await answer.arrayBuffer()));
    assert.deepEqual([answer.status, flags], [200, 0x80]);
    assert.match(trailers!, /^grpc-status: 14\r\n/);
  });

  it("tells in the body that the call ran out of time behind a message", async () => {
    const answer = await post("/test.Echo/Hang", frame("begun"), undefined, { "Grpc-Timeout": "200m" });
    const frames = framesOf(Buffer.from(await answer.arrayBuffer()));
    assert.deepEqual(frames[0], [0, "begun"]);
    assert.match(frames[1]![1], /^grpc-status: 4\r\n/);
  });

  it("has the last frame go through plugins that change bodies", async () => {
    const answer = await post("/packed/test.Echo/Unary", frame("hello"), undefined, { "Accept-Encoding": "gzip" });
    assert.equal(answer.headers.get("content-encoding"), "gzip");
    const frames = framesOf(Buffer.from(await answer.arrayBuffer()));
    assert.deepEqual([frames[0], frames[1]![0]], [[0, "hello"], 0x80]);
  });
});
