import type { FieldLines } from "../../http/field-lines.ts";

/** What of a request decides its route. */
export interface RoutedRequest {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly host: string;
  readonly fields: FieldLines;
}

/** Where in a request a condition looks. */
export type FactSource = "header" | "query" | "cookie" | "path";

/** RFC 1035 §2.3.4; a longer host names nobody. */
const MAX_HOST_CHARACTERS = 255;

/** What routes ask about a request: read when the first asks, and once. One object serves all requests, one after another. */
export class RequestFacts {
  request: RoutedRequest = NOBODY;
  #query: URLSearchParams | undefined;
  #cookies: ReadonlyMap<string, string> | undefined;
  /** The host that was asked for last, as it came, and its name. Most requests ask for the same. */
  #host = "";
  #hostName = "";

  of(request: RoutedRequest): this {
    this.request = request;
    this.#query = undefined;
    this.#cookies = undefined;
    return this;
  }

  /** The host without its port and the dot of the root, in small letters. */
  get hostName(): string {
    const { host } = this.request;
    if (host !== this.#host) {
      this.#host = host;
      this.#hostName = host.length > MAX_HOST_CHARACTERS ? "" : host.toLowerCase().replace(/\.?(?::\d*)?$/, "");
    }
    return this.#hostName;
  }

  /** `name` in small letters for a header. */
  value(source: FactSource, name: string): string | undefined {
    switch (source) {
      case "header":
        return this.request.fields.get(name);
      case "query":
        this.#query ??= new URLSearchParams(this.request.query);
        return this.#query.get(name) ?? undefined;
      case "cookie":
        this.#cookies ??= cookiesOf(this.request.fields);
        return this.#cookies.get(name);
      case "path":
        return this.request.path;
    }
  }
}

const NOBODY: RoutedRequest = {
  ...{ method: "", path: "", query: "", host: "" },
  fields: { list: () => undefined } as unknown as FieldLines,
};

/** RFC 6265 §4.2.1, read as leniently as §5.2 reads Set-Cookie. Of several with one name the first counts, the most specific. */
function cookiesOf(fields: FieldLines): Map<string, string> {
  const cookies = new Map<string, string>();
  for (let index = 0; index < fields.count; index++) {
    if (fields.name(index).toLowerCase() !== "cookie") continue;
    for (const pair of fields.value(index).split(";")) {
      const equals = pair.indexOf("=");
      if (equals < 0) continue;
      const name = pair.slice(0, equals).trim();
      if (!cookies.has(name)) cookies.set(name, pair.slice(equals + 1).trim());
    }
  }
  return cookies;
}
