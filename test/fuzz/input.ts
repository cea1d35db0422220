export type Side = "request" | "response";

/** Enough for any input here. */
export const MAX_HEAD_BYTES = 1 << 20;

/** What one side of a connection sends, in the pieces in which it arrives. */
export interface Input {
  readonly side: Side;
  /** Whether the first response answers HEAD. */
  readonly answersHead: boolean;
  /** One character an octet. */
  readonly text: string;
  /** Where one piece ends and the next begins, ascending. */
  readonly cuts: readonly number[];
  /** What a head may have. */
  readonly maxHeadBytes: number;
}
