import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { LIMITS } from "../limits.ts";
import type { Chunk, DeltaUpdate, FromControlPlane, OriginalUpdate, Stamp, Welcome } from "../messages.ts";
import { bounded, fromUint64 } from "../wire-values.ts";
import {
  type ConfigUpdate,
  ConfigUpdateSchema,
  type SnapshotChunk,
  type Delta as WireDelta,
  type Welcome as WireWelcome,
} from "./generated/runway/cluster/v1/cluster_pb.ts";

type WireUpdate = MessageInitShape<typeof ConfigUpdateSchema>;

const encoded = new WeakMap<FromControlPlane, Buffer>();

/** The same message object gives the same bytes, encoded once and kept for as long as the message is. */
export function encodeFromControlPlane(message: FromControlPlane): Buffer {
  const known = encoded.get(message);
  if (known !== undefined) return known;
  const bytes = Buffer.from(toBinary(ConfigUpdateSchema, create(ConfigUpdateSchema, toWire(message))));
  encoded.set(message, bytes);
  return bytes;
}

/**
 * @returns undefined for a kind of update that this version does not know
 * @throws Error when the bytes are not a ConfigUpdate
 */
export function decodeFromControlPlane(bytes: Uint8Array): FromControlPlane | undefined {
  const wire = fromBinary(ConfigUpdateSchema, bytes);
  switch (wire.frame.case) {
    case "welcome":
      return readWelcome(wire.frame.value);
    case "snapshot":
      return readChunk(wire.frame.value);
    case "delta":
      return readDelta(wire.frame.value);
    case "rpc":
      return { type: "rpc", frame: wire.frame.value };
    case undefined:
      return wire.configYaml.byteLength === 0 && wire.configHash === 0n ? undefined : readOriginal(wire);
  }
}

function toWire(message: FromControlPlane): WireUpdate {
  switch (message.type) {
    case "welcome": {
      const { newest, capabilities, controlPlaneId, heartbeatIntervalMs, addresses } = message;
      const lists = { capabilities: [...capabilities], addresses: [...addresses] };
      const value = { ...writeStamp(newest), ...lists, controlPlaneId, heartbeatIntervalMs };
      return { frame: { case: "welcome", value } };
    }
    case "chunk": {
      const { stamp, encoding, index, count, checksum, data } = message;
      return { frame: { case: "snapshot", value: { ...writeStamp(stamp), encoding, index, count, checksum, data } } };
    }
    case "delta": {
      const { base, stamp, encoding, checksum, data } = message;
      const building = { baseVersion: BigInt(base.version), baseStateHash: base.hash };
      return { frame: { case: "delta", value: { ...writeStamp(stamp), ...building, encoding, checksum, data } } };
    }
    case "rpc":
      return { frame: { case: "rpc", value: message.frame } };
    case "original": {
      const { version, yaml: configYaml, hash: configHash, timestampMs: ms, source } = message;
      return { version: BigInt(version), configYaml, configHash, timestamp: timestampFromMs(ms), source };
    }
  }
}

function writeStamp(stamp: Stamp | undefined): { epoch: string; version: bigint; stateHash: bigint } {
  return { epoch: stamp?.epoch ?? "", version: BigInt(stamp?.version ?? 0), stateHash: stamp?.hash ?? 0n };
}

function readWelcome(wire: WireWelcome): Welcome {
  const newest =
    wire.version === 0n
      ? undefined
      : { epoch: bounded(wire.epoch), version: fromUint64(wire.version), hash: wire.stateHash };
  const { capabilities, controlPlaneId, heartbeatIntervalMs } = wire;
  const addresses = wire.addresses.slice(0, LIMITS.addresses).map(bounded);
  return { type: "welcome", newest, capabilities, controlPlaneId, heartbeatIntervalMs, addresses };
}

function readChunk({ epoch, version, stateHash, encoding, index, count, checksum, data }: SnapshotChunk): Chunk {
  const stamp = { epoch: bounded(epoch), version: fromUint64(version), hash: stateHash };
  return { type: "chunk", stamp, encoding, index, count, checksum, data };
}

function readDelta(wire: WireDelta): DeltaUpdate {
  const epoch = bounded(wire.epoch);
  const base = { epoch, version: fromUint64(wire.baseVersion), hash: wire.baseStateHash };
  const stamp = { epoch, version: fromUint64(wire.version), hash: wire.stateHash };
  const { encoding, checksum, data } = wire;
  return { type: "delta", base, stamp, encoding, checksum, data };
}

function readOriginal({ version, configYaml, configHash, timestamp, source }: ConfigUpdate): OriginalUpdate {
  const sentAtMs = timestamp === undefined ? 0 : timestampMs(timestamp);
  return {
    type: "original",
    version: fromUint64(version),
    yaml: configYaml,
    hash: configHash,
    timestampMs: sentAtMs,
    source: bounded(source),
  };
}
