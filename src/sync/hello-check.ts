import { LIMITS } from "./limits.ts";
import type { Hello } from "./messages.ts";

const NODE_ID = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;

/** What a name of a node must look like: it appears in paths, logs and certificates. */
export function isNodeId(text: string): boolean {
  return text.length <= LIMITS.nodeIdLength && NODE_ID.test(text);
}

/** What is wrong with a hello, as a sentence for the node's operator; undefined when it can be worked with. */
export function checkHello({ nodeId, heartbeatIntervalMs, labels }: Hello): string | undefined {
  if (!isNodeId(nodeId))
    return `node_id must be 1 to ${LIMITS.nodeIdLength} letters, digits, ".", "_" or "-", and start with a letter or digit`;
  if (heartbeatIntervalMs !== 0 && (heartbeatIntervalMs < 100 || heartbeatIntervalMs > 3_600_000))
    return "heartbeat_interval must be between 100 ms and an hour";
  if (Object.keys(labels).length > LIMITS.labels) return `a node may have at most ${LIMITS.labels} labels`;
  const tooLong = Object.entries(labels).find(([key, value]) => key.length + value.length > LIMITS.labelLength);
  if (tooLong !== undefined) return `a label and its value may have at most ${LIMITS.labelLength} characters together`;
  return undefined;
}
