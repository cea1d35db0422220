import { formatDuration } from "../../core/duration.ts";
import type { GatewayView } from "../gateway-view.ts";
import { EVERY_ROLE, type Operation, operation } from "../operation.ts";
import { timestamp } from "../write-json.ts";

/** Asks load balancers to send no more traffic, through /ready, while the node serves on. */
export function drainOperations(gateway: GatewayView, now: () => number): Operation[] {
  return [
    operation({
      method: "GET",
      path: "/drain",
      roles: EVERY_ROLE,
      summary: "Whether the node is draining.",
      handle: () => ({ json: drainJson(gateway.drainingSince(), now()) }),
    }),
    operation({
      method: "POST",
      path: "/drain",
      roles: EVERY_ROLE,
      summary: "Begins to drain: /ready answers 503, connections are closed after their next response.",
      handle: () => {
        if (gateway.drainingSince() !== undefined)
          return { json: { status: "already_draining", message: "server is already in drain mode" } };
        gateway.drain();
        return { json: { status: "draining", message: "drain mode activated, readiness checks will return 503" } };
      },
    }),
    operation({
      method: "DELETE",
      path: "/drain",
      roles: EVERY_ROLE,
      summary: "Ends draining: the node wants traffic again.",
      handle: () => {
        if (gateway.drainingSince() === undefined)
          return { json: { status: "not_draining", message: "server is not in drain mode" } };
        gateway.undrain();
        return { json: { status: "active", message: "drain mode ended, the node takes traffic again" } };
      },
    }),
  ];
}

function drainJson(since: number | undefined, nowMs: number) {
  if (since === undefined) return { draining: false };
  return { draining: true, drain_start: timestamp(since), drain_duration: formatDuration(Math.max(0, nowMs - since)) };
}
