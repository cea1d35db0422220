import type { FieldLines } from "../../../http/field-lines.ts";
import type { Target } from "../target.ts";
import type { Lineup } from "./lineup.ts";

/** What of a request may decide its target. */
export interface BalancedRequest {
  readonly path: string;
  readonly fields: FieldLines;
}

/**
 * A way to choose among targets. It is given the lineup at each turn and keeps nothing about it, so that targets may come, go and
 * change their weight between any two requests. It allocates nothing.
 */
export interface Balancer {
  /** Undefined when every member is passed over. `client` is the address of who asks. */
  next(lineup: Lineup, request: BalancedRequest, client: string): Target | undefined;
}
