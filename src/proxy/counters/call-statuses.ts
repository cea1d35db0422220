/** How calls of gRPC end, in the order of their numbers (grpc/doc/statuscodes.md); last those that end without a status. */
export const CALL_STATUSES = [
  ...["OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS"],
  ...["PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED"],
  ...["INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED"],
  "none",
] as const;

const NO_CALL_STATUS = CALL_STATUSES.length - 1;
const UNKNOWN = 2;

/** Which of them is meant by the text of a `grpc-status` field; what callers do not know is UNKNOWN to them. */
export function callStatusOf(text: string | undefined): number {
  if (text === undefined) return NO_CALL_STATUS;
  return /^(?:\d|1[0-6])$/.test(text) ? Number(text) : UNKNOWN;
}
