import type { ConsistentHash, LoadBalancer } from "../../../config/resources/load-balancing.ts";
import { cookieOf } from "../../../http/cookie.ts";
import type { Balancer } from "./balancer.ts";
import { LeastConnections } from "./least-connections.ts";
import { LeastResponseTime } from "./least-response-time.ts";
import { type HashKey, RendezvousHash } from "./rendezvous-hash.ts";
import { SmoothRoundRobin } from "./smooth-round-robin.ts";

/** What chance and time a balancer has. */
export interface Fortune {
  /** From 0 to below 1. */
  readonly random: () => number;
  readonly nowMs: () => number;
}

export function balancerFor(
  kind: LoadBalancer,
  hash: ConsistentHash | undefined,
  { random, nowMs }: Fortune,
): Balancer {
  switch (kind) {
    case "round_robin":
      return new SmoothRoundRobin();
    case "least_conn":
      return new LeastConnections(random);
    case "least_response_time":
      return new LeastResponseTime(random, nowMs);
    case "consistent_hash":
      return new RendezvousHash(hashKeyOf(hash), hash?.load_factor);
  }
}

function hashKeyOf({ key, header_name, cookie_name }: Partial<ConsistentHash> = {}): HashKey {
  const header = header_name?.toLowerCase() ?? "";
  const cookie = cookie_name ?? "";
  if (key === "header") return ({ fields }) => fields.find(header);
  if (key === "cookie") return ({ fields }) => cookieOf(fields, cookie);
  if (key === "path") return ({ path }) => path;
  return () => undefined;
}
