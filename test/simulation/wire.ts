import type { Transport } from "../../src/sync/connection.ts";
import * as protobuf from "../../src/sync/grpc/config-update-codec.ts";
import * as protobufOfNode from "../../src/sync/grpc/node-message-codec.ts";
import type { FromControlPlane, FromNode, Stamp } from "../../src/sync/messages.ts";
import * as json from "../../src/sync/websocket/json-codec.ts";

/** What a message becomes on its way: encoded by one side and decoded by the other. */
export interface Wire {
  toNode(message: FromControlPlane): FromControlPlane;
  toFleet(message: FromNode): FromNode;
}

/** The codecs of both transports, as they are. */
export const WIRES: Readonly<Record<Transport, Wire>> = {
  grpc: {
    toNode: (message) => protobuf.decodeFromControlPlane(protobuf.encodeFromControlPlane(message))!,
    toFleet: (message) => protobufOfNode.decodeFromNode(protobufOfNode.encodeFromNode(message))!,
  },
  websocket: {
    toNode: (message) => json.decodeFromControlPlane(json.encodeFromControlPlane(message))!,
    toFleet: (message) => json.decodeFromNode(json.encodeFromNode(message))!,
  },
};

/**
 * A wire that remembers what became of a message, since schedules have few different ones and tens of thousands of
 * schedules have little time. Configurations are known by their identity, all else by what of it ever differs here.
 */
export function remembering(wire: Wire): Wire {
  const toFleet = new Map<string, FromNode>();
  const welcomes = new Map<string, FromControlPlane>();
  const configurations = new WeakMap<FromControlPlane, FromControlPlane>();
  return {
    toNode(message) {
      if (message.type === "welcome") return known(welcomes, nameOf(message.newest), () => wire.toNode(message));
      const before = configurations.get(message);
      if (before !== undefined) return before;
      const decoded = wire.toNode(message);
      configurations.set(message, decoded);
      return decoded;
    },
    toFleet: (message) => known(toFleet, describe(message), () => wire.toFleet(message)),
  };
}

function known<Message>(all: Map<string, Message>, key: string, make: () => Message): Message {
  const before = all.get(key);
  if (before !== undefined) return before;
  const made = make();
  all.set(key, made);
  return made;
}

/** What of a message of a node differs from others of its type in the simulation. */
function describe(message: FromNode): string {
  switch (message.type) {
    case "hello": {
      const { nodeId, instanceId, running, capabilities, partial } = message;
      const cut = partial && `${partial.version} ${partial.checksum} ${partial.nextIndex}`;
      return `hello ${nodeId} ${instanceId} ${nameOf(running)} ${capabilities.length} ${cut}`;
    }
    case "heartbeat":
      return `heartbeat ${message.nodeId} ${nameOf(message.running)}`;
    case "ack":
      return `ack ${nameOf(message)}`;
    case "nack":
      return `nack ${message.version} ${message.reason} ${message.problems[0]?.message} ${nameOf(message.running)}`;
    case "rpc":
      return message.frame;
  }
}

function nameOf(stamp: Stamp | undefined): string {
  return stamp === undefined ? "-" : `${stamp.version} ${stamp.hash}`;
}
