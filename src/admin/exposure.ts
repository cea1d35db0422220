import type { Problem } from "../config/problem.ts";
import { isLoopback } from "./loopback.ts";

/** Why the admin API may not listen there, or undefined when it may. It has no authentication of its own yet. */
export function exposureProblem(admin: { address: string; allowUnauthenticated: boolean }): Problem | undefined {
  if (admin.allowUnauthenticated || isLoopback(admin.address)) return undefined;
  return {
    path: "admin.address",
    message:
      `${admin.address} can be reached from other machines, and the admin API does not ask who is calling: whoever reaches it ` +
      "controls this node. Set admin.address to 127.0.0.1 or, where the network keeps others out, admin.allow_unauthenticated to true.",
  };
}
