import assert from "node:assert/strict";
import { parseDocument } from "../document.ts";
import { describeProblem } from "../problem.ts";
import { plainLanguage } from "./plain-language.ts";

/** The problems of a document, as people read them; none for a right one. */
export function problemsOf(text: string): string[] {
  const document = parseDocument(plainLanguage, text);
  return document.ok ? [] : document.problems.map(describeProblem);
}

/** One problem of a document, without its line. */
export function onlyProblemOf(text: string): string {
  const problems = problemsOf(text);
  assert.equal(problems.length, 1, problems.join("\n"));
  return problems[0]!.replace(/^line \d+: /, "");
}
