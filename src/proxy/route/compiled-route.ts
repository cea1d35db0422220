import type { Condition, Route } from "../../config/resources/route.ts";
import type { FieldLines } from "../../http/field-lines.ts";
import { normalisePath } from "../../http/request-target.ts";
import type { ResponseTimeouts } from "../../http/upstream-channel.ts";
import type { CompiledUpstream } from "../upstream/compiled-upstream.ts";
import type { AccessLogPolicy } from "./access-log-policy.ts";

/** What of a request decides its route. */
export interface RoutedRequest {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly host: string;
  readonly fields: FieldLines;
}

/**
 * What a route answers that lists no methods is all but TRACE, which shows a client the head as the upstream got it, with what
 * gateways on the way have put there (RFC 9110 §9.3.8). A route that lists TRACE answers it.
 */
const ORDINARY_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/** What is observed of a route. */
export interface Observation {
  /** Where it is counted, see route-slots.ts. */
  readonly slot: number;
  /** Undefined when nothing is logged. */
  readonly accessLog: AccessLogPolicy | undefined;
}

/** A route as requests are matched against it and sent by it. Made once for each change of configuration. */
export class CompiledRoute {
  readonly id: string;
  readonly order: number;
  readonly isPrefix: boolean;
  /** Of the path, without empty ones at the end of a prefix. */
  readonly segments: readonly string[];
  readonly domains: readonly string[];
  readonly methods: readonly string[];
  readonly upstream: CompiledUpstream;
  readonly timeouts: ResponseTimeouts;
  /** Protocols that requests may switch to, in lower case. */
  readonly upgrades: readonly string[];
  /** 0 means any size. */
  readonly maxBodyBytes: number;
  readonly slot: number;
  readonly accessLog: AccessLogPolicy | undefined;
  readonly #headers: readonly Condition[];
  readonly #query: readonly Condition[];
  readonly #stripPrefix: boolean;

  constructor(route: Route, order: number, upstream: CompiledUpstream, { slot, accessLog }: Observation) {
    this.id = route.id;
    this.order = order;
    this.isPrefix = route.path_prefix;
    this.segments = segmentsOf(route.path, route.path_prefix);
    this.domains = route.match.domains.map((domain) => domain.toLowerCase());
    this.methods = route.methods;
    this.upstream = upstream;
    this.slot = slot;
    this.timeouts = { beginMs: route.timeout_policy.request, pauseMs: route.timeout_policy.idle };
    this.upgrades = route.upgrades;
    this.accessLog = accessLog;
    this.maxBodyBytes = route.max_body_size;
    this.#headers = route.match.headers.map((condition) => ({ ...condition, name: condition.name.toLowerCase() }));
    this.#query = route.match.query;
    this.#stripPrefix = route.strip_prefix;
  }

  /** Among routes of one path and host the greater goes first; then the earlier in the document. */
  get specificity(): number {
    return 2 * (this.#headers.length + this.#query.length) + (this.methods.length > 0 ? 1 : 0);
  }

  answersMethod(method: string): boolean {
    return this.methods.length === 0 ? method !== "TRACE" : this.methods.includes(method);
  }

  /** The methods to name to who came with another one. */
  get answeredMethods(): readonly string[] {
    return this.methods.length === 0 ? ORDINARY_METHODS : this.methods;
  }

  meetsConditions({ fields, query }: RoutedRequest): boolean {
    for (const condition of this.#headers) if (!meets(condition, fields.find(condition.name))) return false;
    if (this.#query.length === 0) return true;
    const parameters = new URLSearchParams(query);
    return this.#query.every((condition) => meets(condition, parameters.get(condition.name) ?? undefined));
  }

  /** The path that is sent on for the request's. */
  rewrite(path: string): string {
    if (!this.#stripPrefix) return path;
    let at = 0;
    for (let count = this.segments.length; count > 0 && at >= 0; count--) at = path.indexOf("/", at + 1);
    return at < 0 ? "/" : path.substring(at);
  }
}

/** `/a/{b}` is `a` and `{b}`; the path of a prefix route may end with a slash and means the same. */
function segmentsOf(path: string, isPrefix: boolean): string[] {
  const segments = (normalisePath(path) ?? path).split("/").slice(1);
  while (isPrefix && segments.at(-1) === "") segments.pop();
  return segments;
}

function meets({ value, present }: Condition, actual: string | undefined): boolean {
  return value === undefined ? (actual !== undefined) === present : actual === value;
}
