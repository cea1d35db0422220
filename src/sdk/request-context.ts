import type { ContextKey } from "./context-key.ts";
import { type FieldSource, HeaderFields } from "./header-fields.ts";
import { LentFields } from "./lent-fields.ts";
import { withoutParameter } from "./query.ts";
import { PendingCopy, type RequestCopy } from "./request-copy.ts";

/** Who a request comes from, as a plugin that authenticates found out. */
export interface Consumer {
  readonly id: string;
  /** Which plugin vouches for it, such as `api_key`. */
  readonly authenticatedBy: string;
  /** What is known about it besides, such as the claims of a token. */
  readonly claims: Readonly<Record<string, unknown>>;
}

/** The route of a request, as far as it is about the path. */
interface RequestRoute {
  readonly id: string;
  /** What of the path is behind the route's own: `/x` of `/api/x` for the prefix /api; empty where nothing is. */
  rest(path: string): string;
  /** The path that is sent on for it. */
  rewrite(path: string): string;
}

/** What of a request does not change. */
export interface RequestSource {
  readonly method: string;
  readonly scheme: "http" | "https";
  /** As the client names it, with its port if it does. */
  readonly host: string;
  /** Normalised, without the query. */
  readonly path: string;
  /** With its question mark; empty without one. */
  readonly query: string;
  /** The address of the client: that of the peer, or what trusted proxies say. */
  readonly client: string;
  readonly requestId: string;
  readonly route: RequestRoute;
  readonly fields: FieldSource;
}

interface KeptValue {
  readonly key: ContextKey<unknown>;
  value: unknown;
  readonly next: KeptValue | undefined;
}

/**
 * A request as plugins see it. It lives as long as the request; afterwards whatever is asked of it throws, since by then its
 * memory belongs to another request.
 */
export class RequestContext {
  readonly headers: HeaderFields;
  /** Set by plugins that authenticate. */
  consumer: Consumer | undefined;
  /** The body, for plugins that need it buffered. */
  body: Uint8Array | undefined;
  #source: RequestSource;
  readonly #fields: LentFields;
  /** A chain, since there are few. */
  #kept: KeptValue | undefined;
  #cookies: ReadonlyMap<string, string> | undefined;
  #target: string | undefined;
  #authority: string | undefined;
  #upstream: string | undefined;
  #copies: PendingCopy[] = NO_COPIES;

  constructor(source: RequestSource) {
    this.#source = source;
    this.#fields = new LentFields(source.fields);
    this.headers = new HeaderFields(this.#fields);
  }

  get method(): string {
    return this.#source.method;
  }

  /** How the client came, behind proxies that are believed. */
  get scheme(): "http" | "https" {
    return this.#source.scheme;
  }

  get host(): string {
    return this.#source.host;
  }

  get path(): string {
    return this.#source.path;
  }

  get query(): string {
    return this.#source.query;
  }

  get client(): string {
    return this.#source.client;
  }

  get requestId(): string {
    return this.#source.requestId;
  }

  get routeId(): string {
    return this.#source.route.id;
  }

  /** What of the path is behind the path of the route: `/x` of `/api/x` for the prefix /api; empty where nothing is. */
  get restOfPath(): string {
    return this.#source.route.rest(this.path);
  }

  /** The first value of a query parameter. */
  parameter(name: string): string | undefined {
    return new URLSearchParams(this.query).get(name) ?? undefined;
  }

  /** Takes a query parameter, every one of the name, away from what the upstream is asked for. */
  removeParameter(name: string): void {
    const { target } = this;
    const mark = target.indexOf("?");
    if (mark >= 0) this.target = target.slice(0, mark) + withoutParameter(target.slice(mark), name);
  }

  /** Takes a cookie, every one of the name, away from what the upstream gets. */
  removeCookie(name: string): void {
    const kept = pairsOf(this.headers.values("cookie")).filter((pair) => nameOf(pair) !== name);
    if (kept.length === 0) this.headers.remove("Cookie");
    else this.headers.set("Cookie", kept.join("; "));
  }

  cookie(name: string): string | undefined {
    this.#cookies ??= cookiesOf(this.headers.values("cookie"));
    return this.#cookies.get(name);
  }

  get<Value>(key: ContextKey<Value>): Value {
    const kept = this.#valueOf(key);
    return kept === undefined ? key.initial : (kept.value as Value);
  }

  set<Value>(key: ContextKey<Value>, value: Value): void {
    const kept = this.#valueOf(key);
    if (kept === undefined) this.#kept = { key, value, next: this.#kept };
    else kept.value = value;
  }

  /** What the upstream is asked for, path and query: what the route makes of the client's unless a plugin has set another. */
  get target(): string {
    return this.#target ?? this.#source.route.rewrite(this.path) + this.query;
  }

  /** @throws TypeError for what is not the target of a request, or would leave the place where it seems to be */
  set target(target: string) {
    if (!TARGET.test(target))
      throw new TypeError("a target begins with a slash and holds what a URL may hold, without a fragment");
    if (DOT_SEGMENT.test(target)) throw new TypeError("a target has no dot segments");
    this.#target = target;
  }

  /** The Host that the upstream is sent; undefined as long as it is that of its target. */
  get authority(): string | undefined {
    return this.#authority;
  }

  set authority(authority: string) {
    if (!/^[\w.~%:[\]-]+$/.test(authority)) throw new TypeError("an authority is a host with an optional port");
    this.#authority = authority;
  }

  /** The upstream that gets the request instead of the route's own, by its id. */
  get upstream(): string | undefined {
    return this.#upstream;
  }

  set upstream(id: string) {
    this.#upstream = id;
  }

  /** Has a copy of the request, as the upstream gets it, sent to another upstream once all of the request has come. */
  copyTo(copy: RequestCopy): void {
    this.#copies = [...this.#copies, new PendingCopy(copy)];
  }

  get copies(): readonly PendingCopy[] {
    return this.#copies;
  }

  #valueOf(key: ContextKey<unknown>): KeptValue | undefined {
    let kept = this.#kept;
    while (kept !== undefined && kept.key !== key) kept = kept.next;
    return kept;
  }

  /** The request is over. */
  close(): void {
    this.#source = OVER;
    this.#fields.close(OVER);
    for (const copy of this.#copies) if (!copy.isSent) copy.over("not_sent");
  }
}

const NO_COPIES: PendingCopy[] = [];
const OVER = new Proxy({} as RequestSource & FieldSource, {
  get() {
    throw new Error("the request is over; what is needed of it later has to be kept while it lasts");
  },
});

/** What the gateway takes from clients (RFC 9112 §3.2.1), without a fragment. */
const TARGET = /^\/[!$-;=?-[\]-~]*$/;
/** Of the path, in any spelling: an upstream would resolve it (RFC 3986 §5.2.4). */
const DOT_SEGMENT = /^[^?]*\/(?:\.|%2e){1,2}(?:[/?]|$)/i;

function cookiesOf(lines: readonly string[]): ReadonlyMap<string, string> {
  const cookies = new Map<string, string>();
  for (const pair of pairsOf(lines)) {
    const name = nameOf(pair);
    if (name !== "" && !cookies.has(name)) cookies.set(name, pair.slice(pair.indexOf("=") + 1).trim());
  }
  return cookies;
}

/** The cookies of these lines as they are spelled. */
function pairsOf(lines: readonly string[]): readonly string[] {
  const pairs = lines.join(";").split(";");
  return pairs.map((pair) => pair.trim()).filter((pair) => pair !== "");
}

/** The name of a cookie; empty where it has none. */
function nameOf(pair: string): string {
  return pair.slice(0, Math.max(0, pair.indexOf("="))).trim();
}
