/**
 * What the target of a request is to be sent on as, written once more and differently than in src/http: slowly, and along the text
 * of RFC 3986. Undefined for a target that is not to be taken.
 */
export function referenceTarget(target: string): string | undefined {
  if (target === "*") return target;
  const [, rest = target] = /^https?:\/\/[^/?]+(.*)$/is.exec(target) ?? [];
  const [, path = "", query = ""] = /^([^?]*)(.*)$/s.exec(rest) ?? [];
  const resolved = removeDotSegments(normaliseEscapes(path === "" ? "/" : path));
  return resolved === undefined ? undefined : resolved + query;
}

/** §6.2.2.1 and §6.2.2.2. */
function normaliseEscapes(path: string): string {
  return path.replace(/%(..)/g, (escaped, digits: string) => {
    const character = String.fromCharCode(Number.parseInt(digits, 16));
    return /[A-Za-z0-9\-._~]/.test(character) ? character : escaped.toUpperCase();
  });
}

/** §5.2.4, but for a path that leaves its root, which is refused. */
function removeDotSegments(path: string): string | undefined {
  let input = path;
  let output = "";
  while (input !== "") {
    if (input.startsWith("/./") || input === "/.") input = `/${input.slice(3)}`;
    else if (input.startsWith("/../") || input === "/..") {
      if (output === "") return undefined;
      output = output.slice(0, output.lastIndexOf("/"));
      input = `/${input.slice(4)}`;
    } else {
      const next = input.indexOf("/", 1);
      const segment = next < 0 ? input : input.slice(0, next);
      output += segment;
      input = input.slice(segment.length);
    }
  }
  return output;
}
