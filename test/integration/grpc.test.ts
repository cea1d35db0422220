import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import * as grpc from "@grpc/grpc-js";
import { eventually } from "../support/eventually.ts";
import { AS_IS, ECHO_SERVICE, FAILURE_DETAILS, FAILURE_MESSAGE, GrpcEchoServer } from "../support/grpc-echo-server.ts";
import { TlsProxy } from "../support/tls-proxy.ts";

type Client = grpc.Client & {
  unary(request: Buffer, metadata: grpc.Metadata, callback: grpc.requestCallback<Buffer>): grpc.ClientUnaryCall;
  fail(request: Buffer, callback: grpc.requestCallback<Buffer>): grpc.ClientUnaryCall;
  collect(callback: grpc.requestCallback<Buffer>): grpc.ClientWritableStream<Buffer>;
  repeat(request: Buffer): grpc.ClientReadableStream<Buffer>;
  chat(): grpc.ClientDuplexStream<Buffer, Buffer>;
  hang(request: Buffer, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<Buffer>;
};

describe("a grpc-js client through a TLS listener, to a grpc-js server", () => {
  const server = new GrpcEchoServer();
  let proxy: TlsProxy;
  let client: Client;

  before(async () => {
    await server.start();
    proxy = await TlsProxy.start();
    const { certFile, keyFile } = await proxy.authority.issue("gateway", { commonName: "localhost" });
    const { listeners } = proxy.sketch("", { cert_file: certFile, key_file: keyFile });
    const backends = [{ url: `http://127.0.0.1:${server.port}`, http2: true }];
    const nowhere = [{ url: "http://127.0.0.1:1", http2: true }];
    await proxy.apply({
      listeners: listeners!,
      routes: {
        echo: { path: "/test.Echo", path_prefix: true, backends },
        dead: { path: "/test.Dead", path_prefix: true, backends: nowhere },
      },
    });
    const Constructor = grpc.makeGenericClientConstructor(ECHO_SERVICE, "Echo");
    const credentials = grpc.credentials.createSsl(Buffer.from(proxy.authority.ca));
    client = new Constructor(`localhost:${proxy.port}`, credentials) as unknown as Client;
  });
  after(async () => {
    client.close();
    await proxy[Symbol.asyncDispose]();
    server.stop();
  });

  const unaryCall = (request: Buffer) =>
    new Promise<{ value: Buffer; trailing: unknown }>((resolve, reject) => {
      const metadata = new grpc.Metadata();
      metadata.set("x-name", "runway");
      let value: Buffer = Buffer.alloc(0);
      const call = client.unary(request, metadata, (error, answer) => {
        if (error) reject(error);
        else value = answer ?? value;
      });
      call.on("status", (status) => resolve({ value, trailing: status.metadata.get("x-trailing")[0] }));
    });

  const errorOf = (call: grpc.ClientReadableStream<Buffer>) =>
    new Promise<grpc.StatusObject>((resolve) =>
      call.on("error", (error) => resolve(error as unknown as grpc.StatusObject)),
    );

  it("makes unary calls, many at a time, small and large, with metadata both ways", async () => {
    const requests = Array.from({ length: 200 }, (_, index) => Buffer.from(`hello ${index}`));
    for (const [index, { value, trailing }] of (await Promise.all(requests.map(unaryCall))).entries())
      assert.deepEqual([value.toString(), trailing], [`hello ${index}`, "runway"]);
    const large = Buffer.alloc(3_000_000, "x");
    assert.ok((await unaryCall(large)).value.equals(large));
    assert.equal((await unaryCall(Buffer.alloc(0))).value.length, 0);
  });

  it("streams to the server", async () => {
    const value = await new Promise<Buffer>((resolve, reject) => {
      const call = client.collect((error, answer) => (error ? reject(error) : resolve(answer!)));
      for (let count = 0; count < 100; count++) call.write(Buffer.alloc(10_000, `${count % 10}`));
      call.end();
    });
    assert.equal(value.length, 1_000_000);
  });

  it("is streamed to", async () => {
    const pieces: string[] = [];
    for await (const piece of client.repeat(Buffer.from("again"))) pieces.push(String(piece));
    assert.deepEqual([pieces.length, new Set(pieces)], [100, new Set(["again"])]);
  });

  it("streams both ways at once, each message answered before the next is sent", async () => {
    const call = client.chat();
    const pieces = call[Symbol.asyncIterator]();
    for (const text of ["one", "two", "three"]) {
      call.write(Buffer.from(text));
      assert.equal(String((await pieces.next()).value), text);
    }
    call.end();
    assert.equal((await pieces.next()).done, true);
  });

  it("is told how its call failed, with details", async () => {
    const error = await new Promise<grpc.ServiceError>((resolve) =>
      client.fail(Buffer.alloc(0), (failure) => resolve(failure!)),
    );
    assert.deepEqual([error.code, error.details], [grpc.status.ALREADY_EXISTS, FAILURE_MESSAGE]);
    assert.deepEqual(error.metadata.get("grpc-status-details-bin")[0], FAILURE_DETAILS);
  });

  it("cancels, and the server knows", async () => {
    const call = client.hang(Buffer.from("cancel me"), new grpc.Metadata());
    const failed = errorOf(call);
    await new Promise((resolve) => call.once("data", resolve));
    call.cancel();
    assert.equal((await failed).code, grpc.status.CANCELLED);
    await eventually("the server's cancellation", () => server.cancelled.includes("cancel me"));
  });

  it("has a deadline that ends the call at the server too", async () => {
    const call = client.hang(Buffer.from("too late"), new grpc.Metadata(), { deadline: Date.now() + 200 });
    call.resume();
    assert.equal((await errorOf(call)).code, grpc.status.DEADLINE_EXCEEDED);
    await eventually("the server's cancellation", () => server.cancelled.includes("too late"));
  });

  it("is told of what the gateway refuses in words of gRPC", async () => {
    const call = (path: string) => {
      const { serialize, deserialize } = AS_IS;
      return errorOf(client.makeServerStreamRequest(path, serialize, deserialize, Buffer.alloc(0)).resume());
    };
    const [unknown, dead] = [await call("/test.Nobody/Call"), await call("/test.Dead/Call")];
    assert.deepEqual([unknown.code, dead.code], [grpc.status.UNIMPLEMENTED, grpc.status.UNAVAILABLE]);
    assert.match(unknown.details, /^RW_ROUTE_NOT_FOUND: /);
  });

  it("is counted by route and by how its calls ended, as it was told itself", async () => {
    const before = proxy.counted("runway_grpc_calls_total");
    const statusOf = (call: grpc.ClientUnaryCall) => new Promise((resolve) => call.on("status", resolve));
    const ignore = () => {};
    await statusOf(client.unary(Buffer.from("well"), new grpc.Metadata(), ignore));
    await statusOf(client.fail(Buffer.alloc(0), ignore));
    const hanging = client.hang(Buffer.from("counted"), new grpc.Metadata());
    const cancelled = errorOf(hanging);
    await new Promise((resolve) => hanging.once("data", resolve));
    hanging.cancel();
    await cancelled;
    const late = client.hang(Buffer.from("counted too"), new grpc.Metadata(), { deadline: Date.now() + 100 });
    await errorOf(late.resume());
    const { serialize, deserialize } = AS_IS;
    for (const path of ["/test.Nobody/Call", "/test.Dead/Call"])
      await errorOf(client.makeServerStreamRequest(path, serialize, deserialize, Buffer.alloc(0)).resume());
    const grown = () =>
      Object.entries(proxy.counted("runway_grpc_calls_total"))
        .map(([series, count]) => `${series} ${count - (before[series] ?? 0)}`)
        .filter((text) => !text.endsWith(" 0"))
        .sort();
    const sum = () => grown().reduce((calls, series) => calls + Number(series.split(" ")[2]), 0);
    await eventually("the end of all calls", () => sum() === 6);
    const expected = ["_none UNIMPLEMENTED 1", "dead UNAVAILABLE 1", "echo ALREADY_EXISTS 1", "echo OK 1"];
    // Who stops waiting says so at the same time as the gateway finds that the time is over: that call has either status.
    assert.deepEqual(
      grown().filter((series) => !/^echo (?:CANCELLED|DEADLINE_EXCEEDED)/.test(series)),
      expected,
    );
  });
});
