import type { Problem } from "../config/problem.ts";
import { type FailureKind, RunwayError } from "../core/failure.ts";

/** A failure that lists what is wrong, one by one. */
export class AdminProblem extends RunwayError {
  readonly problems: readonly Problem[];

  constructor(kind: FailureKind, detail: string, problems: readonly Problem[] = []) {
    super(kind, detail);
    this.name = "AdminProblem";
    this.problems = problems;
  }
}

/** An error as the admin API shows it (RFC 9457); `code` and `problems` are ours. */
export interface ProblemDocument {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail?: string;
  readonly code: string;
  readonly problems?: readonly Problem[];
}

/** What is shown of an error: the table's sentence and what was written for the caller, never a cause. */
export function problemDocument(error: RunwayError): ProblemDocument {
  const { code, status, message } = error.definition;
  const problems = error instanceof AdminProblem ? error.problems : [];
  return {
    type: `urn:runway:failure:${code}`,
    title: message,
    status,
    ...(error.detail === undefined ? {} : { detail: error.detail }),
    code,
    ...(problems.length === 0 ? {} : { problems }),
  };
}
