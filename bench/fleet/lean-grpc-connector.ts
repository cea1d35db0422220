import { type ClientHttp2Session, type ClientHttp2Stream, connect, type IncomingHttpHeaders } from "node:http2";
import type { TLSSocket } from "node:tls";
import type { Connection, ConnectionEvents, Connector } from "../../src/sync/connection.ts";
import { decodeFromControlPlane } from "../../src/sync/grpc/config-update-codec.ts";
import { encodeFromNode } from "../../src/sync/grpc/node-message-codec.ts";
import { clusterService } from "../../src/sync/grpc/service-definition.ts";
import type { FromNode } from "../../src/sync/messages.ts";
import type { NodeDialer } from "./node-dialer.ts";
import type { SharedWork } from "./shared-work.ts";

const PREFIX_BYTES = 5;

/**
 * gRPC of a simulated node, straight on HTTP/2 (gRPC over HTTP/2, "length-prefixed messages" and "trailers"): the bytes on
 * the wire are those of a real node, and a process has room for thousands.
 */
export class LeanGrpcConnector implements Connector {
  readonly #dialer: NodeDialer;
  readonly #work: SharedWork;

  constructor(dialer: NodeDialer, work: SharedWork) {
    this.#dialer = dialer;
    this.#work = work;
  }

  connect(address: string, events: ConnectionEvents): Connection {
    const connection = new LeanGrpcConnection(events, this.#work);
    this.#dialer.dial(address, "h2").then(
      (socket) => connection.open(address, socket),
      (error: Error) => connection.fail(error.message),
    );
    return connection;
  }
}

class LeanGrpcConnection implements Connection {
  readonly #events: ConnectionEvents;
  readonly #work: SharedWork;
  #session: ClientHttp2Session | undefined;
  #stream: ClientHttp2Stream | undefined;
  #rest: Buffer | undefined;
  #isOver = false;

  constructor(events: ConnectionEvents, work: SharedWork) {
    this.#events = events;
    this.#work = work;
  }

  open(address: string, socket: TLSSocket): void {
    if (this.#isOver) {
      socket.destroy();
      return;
    }
    const session = connect(`https://${address}`, { createConnection: () => socket });
    const stream = session.request(
      {
        ":method": "POST",
        ":path": clusterService.configStream.path,
        "content-type": "application/grpc",
        te: "trailers",
      },
      { endStream: false },
    );
    this.#session = session;
    this.#stream = stream;
    session.once("remoteSettings", () => this.#isOver || this.#events.opened());
    session.on("error", (error: Error) => this.fail(error.message));
    session.on("close", () => this.fail("the control plane closed the connection"));
    stream.on("data", (bytes: Buffer) => this.#read(bytes));
    for (const event of ["response", "trailers"] as const)
      stream.on(event, (headers: IncomingHttpHeaders) => this.#look(headers));
    stream.on("error", (error: Error) => this.fail(error.message));
  }

  send(message: FromNode): void {
    if (this.#isOver) return;
    const bytes = encodeFromNode(message);
    const framed = Buffer.allocUnsafe(PREFIX_BYTES + bytes.byteLength);
    framed[0] = 0;
    framed.writeUInt32BE(bytes.byteLength, 1);
    bytes.copy(framed, PREFIX_BYTES);
    this.#stream?.write(framed);
  }

  close(): void {
    this.#isOver = true;
    this.#session?.destroy();
  }

  fail(reason: string, comeBackAfterMs?: number): void {
    if (this.#isOver) return;
    this.close();
    queueMicrotask(() => this.#events.closed(reason, comeBackAfterMs));
  }

  #read(bytes: Buffer): void {
    let rest = this.#rest === undefined ? bytes : Buffer.concat([this.#rest, bytes]);
    while (rest.byteLength >= PREFIX_BYTES && !this.#isOver) {
      const end = PREFIX_BYTES + rest.readUInt32BE(1);
      if (rest.byteLength < end) break;
      const message = this.#work.decode(rest.subarray(PREFIX_BYTES, end), decodeFromControlPlane);
      rest = rest.subarray(end);
      if (message !== undefined) this.#events.received(message);
    }
    this.#rest = rest.byteLength === 0 ? undefined : Buffer.from(rest);
  }

  #look(headers: IncomingHttpHeaders): void {
    const { "grpc-status": status, "grpc-message": message = "", "grpc-retry-pushback-ms": pushback } = headers;
    if (status === undefined) return;
    const reason = `status ${status}: ${decodeURIComponent(String(message))}`;
    this.fail(reason, pushback === undefined ? undefined : Number(pushback));
  }
}
