import { REDACTED } from "./secret.ts";

/** The query, with its question mark if any of it is left, without the parameters of this name. The others stay as they are spelled. */
export function withoutParameter(query: string, name: string): string {
  const kept = query
    .slice(1)
    .split("&")
    .filter((pair) => nameOf(pair) !== name);
  return kept.length === 0 ? "" : `?${kept.join("&")}`;
}

/** The query with something else in the place of the values of these parameters. */
export function hideParameters(query: string, names: ReadonlySet<string>): string {
  if (query === "") return "";
  const pairs = query.slice(1).split("&");
  return `?${pairs.map((pair) => (names.has(nameOf(pair)) ? `${pair.split("=", 1)[0]}=${REDACTED}` : pair)).join("&")}`;
}

/** As a form has it, which is how the parameter is looked up. */
function nameOf(pair: string): string {
  return new URLSearchParams(`?${pair}`).keys().next().value ?? "";
}
