import type { TLSSocket } from "node:tls";
import { Client, type ClientDuplexStream, connectivityState, type ServiceError, status } from "@grpc/grpc-js";
import { formatAddress, parseAddress } from "../address.ts";
import type { Connection, ConnectionEvents, Connector } from "../connection.ts";
import type { FromNode } from "../messages.ts";
import type { MutualTls } from "../mutual-tls.ts";
import { describeTlsFailure } from "../tls-failure.ts";
import { CHANNEL_LIMITS } from "./channel-limits.ts";
import { readComeBack } from "./come-back.ts";
import { decodeFromControlPlane } from "./config-update-codec.ts";
import { type ChannelSocket, MutualTlsCredentials } from "./mutual-tls-credentials.ts";
import { encodeFromNode } from "./node-message-codec.ts";
import { clusterService } from "./service-definition.ts";

/** The original protocol's numbers: a node notices a dead control plane within 13 s. */
const KEEPALIVE = {
  "grpc.keepalive_time_ms": 10_000,
  "grpc.keepalive_timeout_ms": 3_000,
  "grpc.keepalive_permit_without_calls": 1,
} as const;

const CHANNEL_OPTIONS = {
  ...CHANNEL_LIMITS,
  ...KEEPALIVE,
  // One connection each, made by us: no pool, no proxy from the environment, no configuration from DNS, no retries.
  "grpc.use_local_subchannel_pool": 1,
  "grpc.enable_http_proxy": 0,
  "grpc.service_config_disable_resolution": 1,
  "grpc.enable_retries": 0,
} as const;

/** Connects a data plane over gRPC with mutual TLS. */
export class GrpcConnector implements Connector {
  readonly #tls: MutualTls;

  constructor(tls: MutualTls) {
    this.#tls = tls;
  }

  connect(address: string, events: ConnectionEvents): Connection {
    const connection = new GrpcConnection(events);
    try {
      const firstHop = formatAddress(this.#tls.firstHop(address));
      const credentials = new MutualTlsCredentials((socket) => this.#secure(socket, address, connection));
      const authority = formatAddress(parseAddress(address));
      connection.open(new Client(firstHop, credentials, { ...CHANNEL_OPTIONS, "grpc.default_authority": authority }));
    } catch (error) {
      connection.fail((error as Error).message);
    }
    return connection;
  }

  /** The reason that gRPC reports later is often less clear than the error of the socket. */
  async #secure(socket: ChannelSocket, address: string, connection: GrpcConnection): Promise<TLSSocket> {
    try {
      const secured = await this.#tls.secure(socket, address, "h2", connection.given);
      connection.secured();
      secured.on("error", (error) => connection.tlsFailed(error));
      return secured;
    } catch (error) {
      connection.tlsFailed(error as Error);
      socket.destroy();
      throw error;
    }
  }
}

class GrpcConnection implements Connection {
  readonly #events: ConnectionEvents;
  readonly #givingUp = new AbortController();
  #client: Client | undefined;
  #call: ClientDuplexStream<Buffer, Buffer> | undefined;
  #tlsFailure: string | undefined;
  #isSecured = false;
  #isOpen = false;
  #isOver = false;
  #isCongested = false;

  constructor(events: ConnectionEvents) {
    this.#events = events;
  }

  /** Aborts when the connection is not wanted any more: the library leaves a socket alone that is not secured yet. */
  get given(): AbortSignal {
    return this.#givingUp.signal;
  }

  open(client: Client): void {
    const { path, requestSerialize, responseDeserialize } = clusterService.configStream;
    this.#client = client;
    this.#watch(client);
    this.#call = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
    this.#call.on("data", (bytes: Buffer) => this.#received(bytes));
    this.#call.on("drain", () => {
      this.#isCongested = false;
    });
    this.#call.on("error", (error: ServiceError) => this.fail(this.#describe(error), readComeBack(error.metadata)));
    this.#call.on("end", () => this.fail("the control plane ended the stream"));
  }

  send(message: FromNode): void {
    // A heartbeat says nothing that the next one does not.
    if (this.#isOver || (this.#isCongested && message.type === "heartbeat")) return;
    this.#isCongested = this.#call?.write(encodeFromNode(message)) === false;
  }

  close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#release();
  }

  secured(): void {
    this.#isSecured = true;
  }

  tlsFailed(error: NodeJS.ErrnoException): void {
    this.#tlsFailure ??= describeTlsFailure(error);
  }

  /** Later than now, so that whoever connects has its connection before it hears of the failure. */
  fail(reason: string, comeBackAfterMs?: number): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#release();
    queueMicrotask(() => this.#events.closed(reason, comeBackAfterMs));
  }

  #received(bytes: Buffer): void {
    if (this.#isOver) return;
    try {
      const message = decodeFromControlPlane(bytes);
      if (message !== undefined) this.#events.received(message);
    } catch (error) {
      this.fail(`the control plane sent what cannot be read: ${(error as Error).message}`);
    }
  }

  /** The channel is ready once both sides verified each other: a server that refuses a certificate never gets so far. */
  #watch(client: Client): void {
    const channel = client.getChannel();
    const look = (): void => {
      if (this.#isOver) return;
      const state = channel.getConnectivityState(true);
      if (state === connectivityState.READY) {
        this.#isOpen = true;
        this.#events.opened();
      } else channel.watchConnectivityState(state, Number.POSITIVE_INFINITY, look);
    };
    queueMicrotask(look);
  }

  #describe({ code, details }: ServiceError): string {
    if (code !== status.UNAVAILABLE) return details;
    if (this.#tlsFailure !== undefined) return this.#tlsFailure;
    if (this.#isSecured && !this.#isOpen)
      return "the control plane closed the connection after the handshake; its log says whether it refused this node's certificate";
    return (
      /^No connection established\. Last error: (?:Error: )?(.*?)\.? *(?:Resolution note:.*)?$/s.exec(details)?.[1] ??
      details
    );
  }

  #release(): void {
    this.#givingUp.abort();
    this.#call?.cancel();
    this.#client?.close();
  }
}
