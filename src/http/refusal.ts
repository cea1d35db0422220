import type { FailureKind } from "../core/failure.ts";

/** Why a message is not taken. `reason` is a clause for the log and for whoever sent it: it names what is wrong, not its content. */
export interface Refusal {
  readonly kind: FailureKind;
  readonly reason: string;
}
