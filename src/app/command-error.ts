import type { ExitReason } from "./exit-codes.ts";

/** Ends a command with a sentence for the person who called it. */
export class CommandError extends Error {
  readonly reason: ExitReason;

  constructor(reason: ExitReason, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = "CommandError";
    this.reason = reason;
  }
}
