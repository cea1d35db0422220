/** A path as our language writes it: segments, of which `{name}` stands for any one, and whether longer paths match. */
export interface PathPattern {
  readonly segments: readonly string[];
  readonly prefix: boolean;
}

/** A pattern, and how it differs from what was written; or why there is none. */
export type ReadPattern =
  | { readonly ok: true; readonly pattern: PathPattern; readonly differences: readonly string[] }
  | { readonly ok: false; readonly why: string };

const WHOLE_SEGMENTS = "a path matches whole segments here: /foo answers /foo/bar, and /foobar no more";
const NO_SLASH_AT_END = "the same path with a slash at its end is another path here, and not answered";
const ANY_SEGMENT = "a part of a path that a regular expression restricts, such as \\d+, is any segment here";

/** What Kong's `paths` hold: a prefix of characters, or after `~` a regular expression that is anchored at its start. */
export function readKongPath(text: string): ReadPattern {
  if (text.startsWith("~")) return readExpression(text.slice(1).replace(/^\^/, ""));
  if (!text.startsWith("/")) return { ok: false, why: `the path ${text} does not begin with a slash` };
  return accept(segmentsOf(text), true, text === "/" ? [] : [WHOLE_SEGMENTS]);
}

function accept(segments: readonly string[], prefix: boolean, differences: readonly string[]): ReadPattern {
  return { ok: true, pattern: { segments, prefix }, differences: [...new Set(differences)] };
}

/** The segments of a path; a slash at its end adds none. */
function segmentsOf(path: string): string[] {
  const trimmed = path.replace(/\/+$/, "");
  return trimmed === "" ? [] : trimmed.slice(1).split("/");
}

/**
 * A regular expression each of whose segments is a literal or a class, optionally in a group, is a path with parameters.
 * `$`, `/?$` and `/.*` say how it ends; without them it goes on in any way, as a prefix does.
 */
function readExpression(expression: string): ReadPattern {
  const { body, prefix, differences: found } = endingOf(expression);
  const differences = [...found];
  const segments: string[] = [];
  for (const segment of splitSegments(body)) {
    const literal = literalOf(segment);
    const parameter = literal === undefined ? parameterOf(segment, segments.length) : undefined;
    if (literal === undefined && parameter === undefined)
      return { ok: false, why: `the regular expression ~${expression} has no counterpart in paths of segments` };
    if (parameter !== undefined && !parameter.exact) differences.push(ANY_SEGMENT);
    segments.push(literal ?? parameter!.name);
  }
  return accept(segments, prefix, differences);
}

/** The expression without its end, and what the end says. */
function endingOf(expression: string) {
  const rest = /(?:\/|\(\/)\.\*\)?\??\$?$/.exec(expression);
  if (rest !== null) return { body: expression.slice(0, rest.index), prefix: true, differences: [] };
  const closed = /(?<slash>\/\?)?\$$/.exec(expression);
  const body = expression.slice(0, closed?.index);
  if (closed === null) return { body: body.replace(/\/$/, ""), prefix: true, differences: [WHOLE_SEGMENTS] };
  return { body, prefix: false, differences: closed.groups?.slash === undefined ? [] : [NO_SLASH_AT_END] };
}

/** At slashes that stand outside of groups and classes. */
function splitSegments(body: string): string[] {
  const segments: string[] = [];
  let depth = 0;
  let current = "";
  for (const character of body.replace(/^\//, "")) {
    if ("([".includes(character)) depth += 1;
    if (")]".includes(character)) depth -= 1;
    if (character === "/" && depth === 0) {
      segments.push(current);
      current = "";
    } else current += character;
  }
  return body === "" || body === "/" ? [] : [...segments, current];
}

function literalOf(segment: string): string | undefined {
  const literal = segment.replace(/\\([./_~-])/g, "$1");
  return /^[\w.~-]+$/.test(literal) && !/(?<!\\)\./.test(segment) ? literal : undefined;
}

/** `(?<id>\d+)` is `{id}`. */
function parameterOf(
  segment: string,
  position: number,
): { readonly name: string; readonly exact: boolean } | undefined {
  const [, group, inner] = /^\((?:\?P?<([A-Za-z_]\w*)>|\?:)?([^()]*)\)$/.exec(segment) ?? [];
  const pattern = inner ?? segment;
  if (!/^(?:\\[dwS]|\[(?:[^\]\\]|\\.)+\]|\.)(?:\+|\{\d+(?:,\d*)?\})?$/.test(pattern)) return undefined;
  return { name: `{${group ?? `part${position + 1}`}}`, exact: pattern === "[^/]+" };
}
