import { z } from "zod";
import { DURATION_PATTERN, formatDuration, parseDuration } from "../../core/duration.ts";
import { DrainAnswer, DrainChangeAnswer } from "../answers/health.ts";
import type { GatewayView } from "../gateway-view.ts";
import { EVERY_ROLE, type Operation, operation } from "../operation.ts";
import { timestamp } from "../write-json.ts";

export const DrainQuery = z.strictObject({
  delay: z
    .string()
    .regex(DURATION_PATTERN, "must be a duration such as 30s")
    .optional()
    .describe(
      "After so long no new connections are accepted. Left out, after shutdown.drain_delay, where that is more than nothing; else they are accepted, and closed after their first answer.",
    ),
});

/** Asks load balancers to send no more traffic, through /ready, while the node serves on. */
export function drainOperations(gateway: GatewayView, now: () => number): Operation[] {
  return [
    operation({
      method: "GET",
      path: "/drain",
      roles: EVERY_ROLE,
      summary: "Whether the node is draining.",
      answer: DrainAnswer,
      handle: () => ({ json: drainJson(gateway, now()) }),
    }),
    operation({
      method: "POST",
      path: "/drain",
      roles: EVERY_ROLE,
      summary: "Begins to drain: /ready answers 503, connections are closed after their next response.",
      query: DrainQuery,
      answer: DrainChangeAnswer,
      handle: ({ query: { delay } }) => {
        const wasDraining = gateway.drainingSince() !== undefined;
        gateway.drain(delay === undefined ? undefined : parseDuration(delay));
        if (wasDraining) return { json: { status: "already_draining", message: "server is already in drain mode" } };
        return { json: { status: "draining", message: "drain mode activated, readiness checks will return 503" } };
      },
    }),
    operation({
      method: "DELETE",
      path: "/drain",
      roles: EVERY_ROLE,
      summary: "Ends draining: the node wants traffic again.",
      answer: DrainChangeAnswer,
      handle: () => {
        if (gateway.drainingSince() === undefined)
          return { json: { status: "not_draining", message: "server is not in drain mode" } };
        gateway.undrain();
        return { json: { status: "active", message: "drain mode ended, the node takes traffic again" } };
      },
    }),
  ];
}

export function drainJson(gateway: GatewayView, nowMs: number) {
  const since = gateway.drainingSince();
  if (since === undefined) return { draining: false };
  return {
    draining: true,
    drain_start: timestamp(since),
    drain_duration: formatDuration(Math.max(0, nowMs - since)),
    accepts_connections: gateway.acceptsConnections(),
  };
}
