import { z } from "zod";
import { LIMITS } from "../limits.ts";
import { bounded } from "../wire-values.ts";

// What a peer sends is read into messages (messages.ts). Unknown members are left out: a newer peer may have more to say.

const text = z.string().transform(bounded);
const epoch = z.string().max(LIMITS.textLength);
const count = z.int().min(0);
const measures = z
  .record(z.string(), z.number())
  .transform((all) => Object.fromEntries(Object.entries(all).slice(0, LIMITS.phases)));
/** Spelled as 16 hexadecimal digits, since most JSON readers lose 64-bit numbers. */
const hash = z
  .string()
  .regex(/^[0-9a-f]{16}$/)
  .transform((digits) => BigInt(`0x${digits}`));
const octets = z.base64().transform((encoded): Uint8Array => Buffer.from(encoded, "base64"));
const names = z.array(z.string()).transform((all) => all.slice(0, LIMITS.capabilities));
const stamp = z.object({ epoch, version: count, hash });
const running = stamp.optional();

const problem = z.object({ path: text, message: text, kind: text.optional(), id: text.optional() });

const status = z.object({
  routes: count,
  healthyRoutes: count,
  activeConnections: count,
  uptimeSeconds: count,
  requestsTotal: count,
  failuresTotal: count,
  latencyP50Ms: z.number(),
  latencyP99Ms: z.number(),
  eventLoopLagP99Ms: z.number(),
  memoryBytes: count,
  certificateNotAfterMs: z.number().optional(),
  cacheError: text,
  runwayVersion: text,
  lastReloadError: text,
  lastSuccessfulVersion: count,
});

/** By the last part of the method's name. */
export const NODE_MESSAGES = {
  hello: z.object({
    nodeId: z.string(),
    version: text,
    hostname: text,
    running,
    originalHash: hash,
    capabilities: names,
    encodings: names,
    labels: z.record(z.string(), z.string()),
    plugins: z
      .record(text, text)
      .default({})
      .transform((all) => Object.fromEntries(Object.entries(all).slice(0, LIMITS.plugins))),
    instanceId: text,
    heartbeatIntervalMs: count,
    partial: z.object({ epoch, version: count, checksum: hash, nextIndex: count }).optional(),
  }),
  heartbeat: z.object({ nodeId: text, running, status, sentAtMs: z.number() }),
  ack: stamp.extend({ durationsMs: measures }),
  nack: z.object({
    epoch,
    version: count,
    reason: text,
    problems: z.array(problem).transform((all) => all.slice(0, LIMITS.problems)),
    running,
  }),
};

export const CONTROL_PLANE_MESSAGES = {
  welcome: z.object({
    newest: running,
    capabilities: names,
    controlPlaneId: text,
    heartbeatIntervalMs: count,
    addresses: z.array(text).transform((all) => all.slice(0, LIMITS.addresses)),
  }),
  delta: z.object({ base: stamp, stamp, encoding: text, checksum: hash, data: octets }),
  chunk: z.object({ stamp, encoding: text, index: count, count, checksum: hash, data: octets }),
};
