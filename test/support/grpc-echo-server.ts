import * as grpc from "@grpc/grpc-js";

export const AS_IS = { serialize: (value: Buffer) => value, deserialize: (octets: Buffer) => octets };

function method(path: string, requestStream: boolean, responseStream: boolean): grpc.MethodDefinition<Buffer, Buffer> {
  const { serialize, deserialize } = AS_IS;
  return {
    ...{ path, requestStream, responseStream, requestSerialize: serialize, requestDeserialize: deserialize },
    ...{ responseSerialize: serialize, responseDeserialize: deserialize },
  };
}

/** Messages are octets. */
export const ECHO_SERVICE = {
  unary: method("/test.Echo/Unary", false, false),
  collect: method("/test.Echo/Collect", true, false),
  repeat: method("/test.Echo/Repeat", false, true),
  chat: method("/test.Echo/Chat", true, true),
  fail: method("/test.Echo/Fail", false, false),
  hang: method("/test.Echo/Hang", false, true),
};

export const FAILURE_MESSAGE = "it is there: ü 100%";
const text = Buffer.from(FAILURE_MESSAGE);
/** A `google.rpc.Status` with code 6 and the message. */
export const FAILURE_DETAILS = Buffer.concat([Buffer.from([0x08, 6, 0x12, text.length]), text]);

type Unary = grpc.handleUnaryCall<Buffer, Buffer>;
/** The four kinds of call, one that fails and one that never ends. */
export class GrpcEchoServer {
  readonly cancelled: string[] = [];
  readonly #server = new grpc.Server();
  port = 0;

  async start(): Promise<void> {
    const unary: Unary = (call, answer) => {
      const trailing = new grpc.Metadata();
      trailing.set("x-trailing", call.metadata.get("x-name")[0] ?? "none");
      answer(null, call.request, trailing);
    };
    const collect: grpc.handleClientStreamingCall<Buffer, Buffer> = (call, answer) => {
      const pieces: Buffer[] = [];
      call.on("data", (piece: Buffer) => pieces.push(piece));
      call.on("end", () => answer(null, Buffer.concat(pieces)));
    };
    const repeat: grpc.handleServerStreamingCall<Buffer, Buffer> = (call) => {
      for (let count = 0; count < 100; count++) call.write(call.request);
      call.end();
    };
    const chat: grpc.handleBidiStreamingCall<Buffer, Buffer> = (call) => {
      call.on("data", (piece: Buffer) => call.write(piece));
      call.on("end", () => call.end());
    };
    const fail: Unary = (_call, answer) => {
      const metadata = new grpc.Metadata();
      metadata.set("grpc-status-details-bin", FAILURE_DETAILS);
      answer({ code: grpc.status.ALREADY_EXISTS, details: FAILURE_MESSAGE, metadata });
    };
    const hang: grpc.handleServerStreamingCall<Buffer, Buffer> = (call) => {
      call.write(call.request);
      call.on("cancelled", () => this.cancelled.push(call.request.toString()));
    };
    this.#server.addService(ECHO_SERVICE, { unary, collect, repeat, chat, fail, hang });
    this.port = await new Promise<number>((resolve, reject) => {
      const credentials = grpc.ServerCredentials.createInsecure();
      this.#server.bindAsync("127.0.0.1:0", credentials, (error, port) => (error ? reject(error) : resolve(port)));
    });
  }

  stop(): void {
    this.#server.forceShutdown();
  }
}
