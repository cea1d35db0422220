import { type Check, problemOf } from "./check.ts";

const PARAMETER = /^\{([A-Za-z_][A-Za-z0-9_]*)\}$/;

/** `{name}` is a whole segment with a name of its own, and every segment can occur in the path of a request. */
export const pathParameters: Check = function* ({ routes }) {
  for (const { id, path } of routes) {
    const names = new Set<string>();
    for (const segment of path.split("/")) {
      const name = PARAMETER.exec(segment)?.[1];
      const message =
        name === undefined ? complain(segment) : names.has(name) ? `the parameter {${name}} is there twice` : undefined;
      if (name !== undefined) names.add(name);
      if (message !== undefined) yield problemOf("route", id, "path", message);
    }
  }
};

function complain(segment: string): string | undefined {
  if (/[{}]/.test(segment))
    return `"${segment}" is not a parameter; a parameter is a whole segment such as {id}, of letters, digits and "_"`;
  if (/^:[A-Za-z_]/.test(segment)) return `"${segment}" is not a parameter here; write {${segment.slice(1)}}`;
  if (segment === "." || segment === "..")
    return `"${segment}" is never in the path of a request; write the path without it`;
  if (/[^\x21-\x7e]/.test(segment))
    return `"${segment}" reaches the gateway percent-encoded; write it as ${encodeURI(segment.toWellFormed())}`;
  if (/%(?![0-9A-Fa-f]{2})/.test(segment)) return `"%" in "${segment}" has to be followed by two hexadecimal digits`;
  return undefined;
}
