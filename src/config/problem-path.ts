/** The steps from the root of a document to a place in it: keys of mappings and positions in lists. */
export type PathSteps = readonly (string | number)[];

const PLAIN_KEY = /^[A-Za-z_][\w-]*$/;
const LAST_STEP = /(?:(?:^|\.)[\w-]+|\[(?:\d+|"(?:[^"\\]|\\.)*")\])$/;

/** `routes[2].backends[0].url`; a key that is not a plain word is quoted: `upstreams["api.v2"]`. */
export function formatPath(steps: PathSteps): string {
  let path = "";
  for (const step of steps) {
    if (typeof step === "number") path += `[${step}]`;
    else if (!PLAIN_KEY.test(step)) path += `[${JSON.stringify(step)}]`;
    else path += path === "" ? step : `.${step}`;
  }
  return path;
}

/** One path after the other: `routes[2]` and `methods[0]` become `routes[2].methods[0]`. */
export function joinPath(base: string, rest: string): string {
  return base === "" || rest === "" || rest.startsWith("[") ? base + rest : `${base}.${rest}`;
}

/** The path one step up; undefined for the document as a whole. */
export function parentPath(path: string): string | undefined {
  return path === "" ? undefined : path.replace(LAST_STEP, "");
}
