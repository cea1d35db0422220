import { EVENT_ID, type Event, getScalarValue, parseEvents } from "js-yaml";
import { formatPath, parentPath } from "./problem-path.ts";

/** A place in a YAML text: the path of a node and the line, from 1, where it begins. A value's line is that of its key. */
export interface SourcePlace {
  readonly path: string;
  readonly line: number;
  /** The text of a scalar, unquoted. */
  readonly scalar?: string;
}

/** Finds the line of a path, or of the nearest place above it that the text names; undefined when it names none. */
export type LineLookup = (path: string) => number | undefined;

/**
 * Reads the text a second time for its places. This costs as much as parsing did, so it is done only when there is
 * something to tell a person. The text has to be one that parses.
 */
export function lineLookup(text: string): LineLookup {
  let lines: Map<string, number> | undefined;
  return (path) => {
    lines ??= new Map(Array.from(sourcePlaces(text), (place) => [place.path, place.line]));
    for (let place: string | undefined = path; place !== undefined; place = parentPath(place)) {
      const line = lines.get(place);
      if (line !== undefined && (place !== "" || path === "")) return line;
    }
    return undefined;
  };
}

/** A collection whose children are being read: a list counts them, a mapping takes turns between key and value. */
type Open =
  | { readonly type: "document" }
  | { readonly type: "list"; next: number }
  | { readonly type: "mapping"; key: { readonly text: string; readonly offset: number } | undefined };

export function* sourcePlaces(text: string): Generator<SourcePlace> {
  const lineOf = lineCounter(text);
  const open: Open[] = [];
  const steps: (string | number)[] = [];
  for (const event of parseEvents(text, {})) {
    const parent = open.at(-1);
    if (event.type === EVENT_ID.POP) {
      if (open.pop()?.type !== "document") steps.pop();
    } else if (event.type === EVENT_ID.DOCUMENT) {
      open.push({ type: "document" });
    } else if (parent?.type === "mapping" && parent.key === undefined) {
      parent.key = { text: scalarOf(text, event) ?? "", offset: offsetOf(event) };
      if (isCollection(event)) open.push(openCollection(event));
    } else {
      const key = takeKey(parent, steps);
      const scalar = scalarOf(text, event);
      const line = lineOf(key ?? offsetOf(event));
      yield { path: formatPath(steps), line, ...(scalar === undefined ? {} : { scalar }) };
      if (isCollection(event)) open.push(openCollection(event));
      else if (parent?.type !== "document") steps.pop();
    }
  }
}

/** Steps into the next child of `parent`; answers where its key stands, if it has one. */
function takeKey(parent: Open | undefined, steps: (string | number)[]): number | undefined {
  if (parent?.type === "list") steps.push(parent.next++);
  if (parent?.type !== "mapping" || parent.key === undefined) return undefined;
  const { text, offset } = parent.key;
  parent.key = undefined;
  steps.push(text);
  return offset;
}

function isCollection(event: Event): boolean {
  return event.type === EVENT_ID.MAPPING || event.type === EVENT_ID.SEQUENCE;
}

function openCollection(event: Event): Open {
  return event.type === EVENT_ID.MAPPING ? { type: "mapping", key: undefined } : { type: "list", next: 0 };
}

function scalarOf(text: string, event: Event): string | undefined {
  return event.type === EVENT_ID.SCALAR ? getScalarValue(text, event) : undefined;
}

/** Where a node begins; -1 for one that has no text, such as the value of `key:`. */
function offsetOf(event: Event): number {
  if (event.type === EVENT_ID.SCALAR) return event.valueStart;
  if (event.type === EVENT_ID.MAPPING || event.type === EVENT_ID.SEQUENCE) return event.start;
  return event.type === EVENT_ID.ALIAS ? event.anchorStart : -1;
}

/** Lines of offsets that mostly grow: counts on from the last one. An offset of -1 is where the last one was. */
function lineCounter(text: string): (offset: number) => number {
  let position = 0;
  let line = 1;
  return (offset) => {
    if (offset >= 0 && offset < position) [position, line] = [0, 1];
    for (let end = text.indexOf("\n", position); end >= 0 && end < offset; end = text.indexOf("\n", position)) {
      position = end + 1;
      line += 1;
    }
    return line;
  };
}
