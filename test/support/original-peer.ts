import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { connect, createSecureContext, createServer, type TLSSocket } from "node:tls";
import { Client, Server, ServerCredentials, type ServerDuplexStream, type ServiceError } from "@grpc/grpc-js";
import { parseAddress } from "../../src/sync/address.ts";
import { MutualTlsCredentials } from "../../src/sync/grpc/mutual-tls-credentials.ts";
import { clusterService } from "../../src/sync/grpc/service-definition.ts";
import { ProtoReader, ProtoWriter } from "./proto-wire.ts";

/**
 * The original program's side of the protocol, as bytes written by hand: it knows the field numbers below 16 and nothing
 * else, so that a test with it cannot pass because both sides share a schema.
 */
interface OriginalNodeMessage {
  readonly connect?: { nodeId: string; version: string; hostname: string; configHash: bigint };
  readonly heartbeat?: { nodeId: string; configVersion: bigint; configHash: bigint; lastReloadError: string };
}

interface OriginalUpdate {
  readonly version: bigint;
  readonly yaml: string;
  readonly hash: bigint;
  readonly source: string;
  /** Every field number that was on the wire. */
  readonly fieldNumbers: readonly number[];
}

interface ClientFiles {
  readonly caFile: string;
  readonly certFile?: string;
  readonly keyFile?: string;
}

export interface OriginalStream {
  readonly updates: OriginalUpdate[];
  readonly ended: Promise<ServiceError>;
  send(message: OriginalNodeMessage): void;
  close(): void;
}

/** An original data plane. */
export function openOriginalStream(address: string, { caFile, certFile, keyFile }: ClientFiles): OriginalStream {
  const { host } = parseAddress(address);
  const secureContext = createSecureContext({
    minVersion: "TLSv1.3",
    ca: readFileSync(caFile),
    ...(certFile === undefined || keyFile === undefined
      ? {}
      : { cert: readFileSync(certFile), key: readFileSync(keyFile) }),
  });
  const credentials = new MutualTlsCredentials(async (socket) => {
    const secured = connect({ socket, secureContext, ALPNProtocols: ["h2"], host });
    await once(secured, "secureConnect");
    return secured;
  });
  const client = new Client(address, credentials, { "grpc.enable_http_proxy": 0 });
  const { path, requestSerialize, responseDeserialize } = clusterService.configStream;
  const call = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
  const updates: OriginalUpdate[] = [];
  const { promise: ended, resolve } = Promise.withResolvers<ServiceError>();
  call.on("data", (bytes: Buffer) => updates.push(readUpdate(bytes)));
  call.on("error", (error: ServiceError) => {
    client.close();
    resolve(error);
  });
  return {
    updates,
    ended,
    send: (message) => call.write(writeNodeMessage(message)),
    close: () => call.cancel(),
  };
}

export interface OriginalControlPlane {
  readonly address: string;
  /** What a node sent, by field number of `NodeMessage`. */
  readonly received: {
    readonly field: number;
    readonly version: bigint;
    readonly hash: bigint;
    readonly error: string;
  }[];
  push(update: { version: bigint; yaml: string; hash: bigint; source: string }): void;
  stop(): void;
}

/** An original control plane, which says nothing until it is told to push. */
export async function startOriginalControlPlane(tls: Required<ClientFiles>): Promise<OriginalControlPlane> {
  const received: OriginalControlPlane["received"] = [];
  const calls = new Set<ServerDuplexStream<Buffer, Buffer>>();
  const grpc = new Server();
  grpc.addService(clusterService, {
    configStream: (call: ServerDuplexStream<Buffer, Buffer>) => {
      calls.add(call);
      call.on("data", (bytes: Buffer) => received.push(readNodeMessage(bytes)));
      call.on("error", () => {});
    },
  });
  const injector = grpc.createConnectionInjector(ServerCredentials.createInsecure());
  const sockets = new Set<TLSSocket>();
  const options = {
    cert: readFileSync(tls.certFile),
    key: readFileSync(tls.keyFile),
    ca: readFileSync(tls.caFile),
    requestCert: true,
    ALPNProtocols: ["h2"],
  };
  const server = createServer(options, (socket) => {
    sockets.add(socket.on("error", () => {}));
    injector.injectConnection(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    push: (update) => {
      for (const call of calls) call.write(writeUpdate(update));
    },
    stop: () => {
      grpc.forceShutdown();
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

function writeNodeMessage({ connect, heartbeat }: OriginalNodeMessage): Buffer {
  if (connect !== undefined) {
    const { nodeId, version, hostname, configHash } = connect;
    return new ProtoWriter()
      .message(1, new ProtoWriter().text(1, nodeId).text(2, version).text(3, hostname).uint64(4, configHash))
      .finish();
  }
  const { nodeId, configVersion, configHash, lastReloadError } = heartbeat!;
  const nodeStatus = new ProtoWriter().uint64(1, 7n).text(4, "1.4.0").text(6, lastReloadError);
  return new ProtoWriter()
    .message(2, new ProtoWriter().text(1, nodeId).uint64(2, configVersion).uint64(3, configHash).message(4, nodeStatus))
    .finish();
}

function writeUpdate({
  version,
  yaml,
  hash,
  source,
}: {
  version: bigint;
  yaml: string;
  hash: bigint;
  source: string;
}): Buffer {
  return new ProtoWriter().uint64(1, version).text(2, yaml).uint64(3, hash).text(5, source).finish();
}

function readUpdate(bytes: Buffer): OriginalUpdate {
  const fields = new ProtoReader(bytes);
  return {
    version: fields.uint64(1),
    yaml: fields.text(2),
    hash: fields.uint64(3),
    source: fields.text(5),
    fieldNumbers: fields.numbers,
  };
}

function readNodeMessage(bytes: Buffer): OriginalControlPlane["received"][number] {
  const outer = new ProtoReader(bytes);
  const field = outer.numbers[0] ?? 0;
  const inner = new ProtoReader(outer.bytes(field));
  if (field === 1) return { field, version: 0n, hash: inner.uint64(4), error: "" };
  const status = new ProtoReader(inner.bytes(4));
  return { field, version: inner.uint64(2), hash: inner.uint64(3), error: status.text(6) };
}
