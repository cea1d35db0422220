import type { AccessLogSettings, RouteAccessLog } from "../../config/resources/access-log.ts";
import { statusTable } from "../../config/resources/status-codes.ts";

/** Which requests of a route are written to the access log, and how much of them. Made once for each change of configuration. */
export class AccessLogPolicy {
  readonly withQuery: boolean;
  /** Names of request headers, in small letters. */
  readonly headers: readonly string[];
  /** 1 for each status that is written; undefined means all. */
  readonly #statuses: Uint8Array | undefined;
  readonly #methods: readonly string[];
  readonly #sampleRate: number;

  private constructor({ query, headers_include, conditions }: AccessLogSettings) {
    this.withQuery = query;
    this.headers = headers_include.map((name) => name.toLowerCase());
    this.#statuses = conditions.status_codes.length === 0 ? undefined : statusTable(conditions.status_codes);
    this.#methods = conditions.methods;
    this.#sampleRate = conditions.sample_rate;
  }

  /** Undefined when nothing is written, so that nothing is paid. */
  static of(gateway: AccessLogSettings, route: RouteAccessLog = {}): AccessLogPolicy | undefined {
    const settings: AccessLogSettings = {
      enabled: route.enabled ?? gateway.enabled,
      output: gateway.output,
      query: route.query ?? gateway.query,
      headers_include: route.headers_include ?? gateway.headers_include,
      conditions: route.conditions ?? gateway.conditions,
    };
    return settings.enabled && settings.conditions.sample_rate > 0 ? new AccessLogPolicy(settings) : undefined;
  }

  wants(method: string, status: number): boolean {
    if (this.#statuses !== undefined && this.#statuses[status] !== 1) return false;
    if (this.#methods.length > 0 && !this.#methods.includes(method)) return false;
    return this.#sampleRate === 1 || Math.random() < this.#sampleRate;
  }
}
