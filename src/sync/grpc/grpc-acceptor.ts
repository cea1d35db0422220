import type { TLSSocket } from "node:tls";
import { type ConnectionInjector, Server, ServerCredentials, type ServerDuplexStream, status } from "@grpc/grpc-js";
import type { Logger } from "../../core/ports.ts";
import type { Acceptor, EndableStream, StreamSink } from "../connection.ts";
import { CHANNEL_LIMITS } from "./channel-limits.ts";
import { GrpcNodeStream } from "./grpc-node-stream.ts";
import { clusterService } from "./service-definition.ts";

/** The original protocol's numbers: a dead node is noticed within 20 s, and a node may ping as often as each 5 s. */
const KEEPALIVE = { "grpc.keepalive_time_ms": 15_000, "grpc.keepalive_timeout_ms": 5_000 } as const;

/** Takes the connections of nodes that speak gRPC. */
export class GrpcAcceptor implements Acceptor {
  readonly protocol = "h2";
  readonly #fleet: StreamSink;
  readonly #logger: Logger;
  readonly #streams = new Set<GrpcNodeStream>();
  readonly #server: Server;
  readonly #injector: ConnectionInjector;

  constructor(fleet: StreamSink, logger: Logger) {
    this.#fleet = fleet;
    this.#logger = logger;
    this.#server = new Server({ ...CHANNEL_LIMITS, ...KEEPALIVE, "grpc.max_concurrent_streams": 4 });
    this.#server.addService(clusterService, {
      configStream: (call: ServerDuplexStream<Buffer, Buffer>) => this.#open(call),
    });
    this.#injector = this.#server.createConnectionInjector(ServerCredentials.createInsecure());
  }

  get streams(): Iterable<EndableStream> {
    return this.#streams;
  }

  accept(socket: TLSSocket): void {
    this.#injector.injectConnection(socket);
  }

  close(): void {
    this.#server.forceShutdown();
  }

  #open(call: ServerDuplexStream<Buffer, Buffer>): void {
    try {
      const stream = new GrpcNodeStream(call, () => this.#streams.delete(stream));
      this.#streams.add(stream);
      stream.listen(this.#fleet.connect(stream));
    } catch (error) {
      this.#logger.warn("A stream could not be accepted", { reason: (error as Error).message });
      call.emit("error", { code: status.PERMISSION_DENIED, details: (error as Error).message });
    }
  }
}
