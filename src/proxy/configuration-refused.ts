import { describeProblem, type Problem } from "../config/problem.ts";
import { RunwayError } from "../core/failure.ts";

/** A configuration that is valid but cannot be applied here, and why. Nothing has changed. */
export class ConfigurationRefused extends RunwayError {
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super("configurationRefused", problems.map(describeProblem).join("; "));
    this.problems = problems;
  }
}
