import type { Clock } from "../core/clock.ts";
import type { Connector, Transport } from "./connection.ts";
import { GrpcConnector } from "./grpc/grpc-connector.ts";
import { MutualTls, type MutualTlsOptions } from "./mutual-tls.ts";
import { TransportChoice } from "./transport-choice.ts";
import { WebSocketConnector } from "./websocket/websocket-connector.ts";

export interface ConnectorOptions {
  /** `auto` is gRPC, and WebSocket where gRPC does not get through. */
  readonly transport: Transport | "auto";
  readonly tls: MutualTlsOptions;
  readonly clock: Clock;
}

/** How a data plane reaches its control planes. */
export function createConnector({ transport, tls, clock }: ConnectorOptions): Connector {
  const mutualTls = new MutualTls(tls);
  const grpc = new GrpcConnector(mutualTls);
  const webSocket = new WebSocketConnector({ tls: mutualTls, clock });
  if (transport === "auto") return new TransportChoice([grpc, webSocket]);
  return transport === "grpc" ? grpc : webSocket;
}
