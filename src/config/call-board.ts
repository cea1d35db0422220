/** A call to a node of another control plane, as it lies on the board. */
export interface BoardCall {
  readonly id: string;
  /** Control planes. */
  readonly from: string;
  readonly to: string;
  /** How long the caller goes on waiting. */
  readonly timeLeftMs: number;
  readonly text: string;
}

export interface BoardAnswer {
  readonly id: string;
  readonly text: string;
}

/** Calls that lie on a board at one time, of all control planes together. */
export const MAX_BOARD_CALLS = 1_024;

/**
 * The port through which a control plane has calls made by the others that share its store. Nothing on it outlives its time, and
 * each thing is taken once.
 */
export interface CallBoard {
  /** @throws RunwayError overloaded, when MAX_BOARD_CALLS lie there */
  put(call: BoardCall): Promise<void>;
  /** What is there for a control plane. */
  take(to: string): Promise<readonly BoardCall[]>;
  /** Nothing becomes of an answer that nobody waits for any more. */
  answer(answer: BoardAnswer): Promise<void>;
  /** The answers to calls of a control plane. */
  collect(from: string): Promise<readonly BoardAnswer[]>;
  /** The caller does not wait any more. */
  withdraw(id: string): Promise<void>;
  /** Calls `listener` when there may be something for a control plane, until the answer is called. A hint, as in Store. */
  watch(controlPlaneId: string, listener: () => void): () => void;
}
