import { z } from "zod";
import { unknownKey } from "./nearest-name.ts";
import { type Checked, checked, type Problem, refused } from "./problem.ts";
import { formatPath, type PathSteps } from "./problem-path.ts";

type Issue = z.core.$ZodIssue;
type RawIssue = z.core.$ZodRawIssue;

/** What a union says when its schema does not word it; the alternative that comes nearest then speaks for it. */
const UNION_WITHOUT_WORDS = "matches none of the alternatives";

/** Parses `value` by `schema`; problems carry paths from `value` on. Every problem is found, not only the first. */
export function checkShape<Schema extends z.ZodType>(schema: Schema, value: unknown): Checked<z.output<Schema>> {
  const result = schema.safeParse(value, { error: wordIssue });
  return result.success ? checked(result.data) : refused(result.error.issues.flatMap((issue) => toProblems(issue)));
}

function toProblems(issue: Issue, base: PathSteps = []): Problem[] {
  const steps = [...base, ...issue.path.map((step) => (typeof step === "number" ? step : String(step)))];
  if (issue.code === "unrecognized_keys") {
    const messages = issue.message.split("\n");
    return issue.keys.map((key, position) => ({ path: formatPath([...steps, key]), message: messages[position]! }));
  }
  if (issue.code === "invalid_union" && issue.message === UNION_WITHOUT_WORDS)
    return nearestAlternative(issue.errors).flatMap((inner) => toProblems(inner, steps));
  if (issue.code === "invalid_key") {
    const message = issue.issues[0]?.message ?? "is not a valid key";
    return [{ path: formatPath(steps), message }];
  }
  return [{ path: formatPath(steps), message: issue.message }];
}

/** The last alternative that is at least of the value's type. */
function nearestAlternative(alternatives: readonly Issue[][]): readonly Issue[] {
  const offType = (issue: Issue) => issue.code === "invalid_type" && issue.path.length === 0;
  return alternatives.findLast((issues) => !issues.some(offType)) ?? alternatives.at(-1) ?? [];
}

/** Sentences for what the schemas themselves do not word. They follow a path, as in `admin.port: must be at most 65535`. */
function wordIssue(issue: RawIssue): string | undefined {
  switch (issue.code) {
    case "invalid_type":
      return issue.input === undefined ? "is required" : wrongType(issue.expected, issue.input);
    case "invalid_value":
      return `must be ${alternatives(issue.values.map((value) => JSON.stringify(value)))}`;
    case "too_small":
      return `must ${bound(issue.origin, "at least", issue.minimum)}`;
    case "too_big":
      return `must ${bound(issue.origin, "at most", issue.maximum)}`;
    case "unrecognized_keys":
      return issue.keys.map((key) => unknownKey(key, knownKeys(issue.inst))).join("\n");
    case "invalid_union":
      return UNION_WITHOUT_WORDS;
    default:
      return undefined;
  }
}

function alternatives(words: readonly string[]): string {
  return words.length === 1 ? words[0]! : `one of ${words.join(", ")}`;
}

function knownKeys(schema: unknown): string[] {
  return schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
}

function bound(origin: string, relation: string, limit: number | bigint): string {
  if (origin === "array") return `have ${relation} ${limit} ${limit === 1 ? "item" : "items"}`;
  if (origin === "string") return `have ${relation} ${limit} ${limit === 1 ? "character" : "characters"}`;
  return `be ${relation} ${limit}`;
}

function wrongType(expected: string, input: unknown): string {
  const quotable = expected === "string" && (typeof input === "number" || typeof input === "boolean");
  return `must be ${typeName(expected)}, not ${nameOf(input)}${quotable ? "; put it in quotes" : ""}`;
}

const PLAIN_NAMES: Readonly<Record<string, string>> = {
  string: "text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "a mapping",
  record: "a mapping",
  null: "empty",
};

function typeName(expected: string): string {
  return PLAIN_NAMES[expected] ?? `of type ${expected}`;
}

function nameOf(value: unknown): string {
  if (value === null) return "empty";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "number") return Number.isInteger(value) ? "a number" : "a fraction";
  return PLAIN_NAMES[typeof value] ?? typeof value;
}
