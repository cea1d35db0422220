import type { AccessLogSettings, RouteAccessLog } from "../../config/resources/access-log.ts";

const STATUSES = 600;

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
    this.#statuses = statusTable(conditions.status_codes);
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

/** From 404, "404", "4xx" and "400-499". */
function statusTable(codes: readonly (number | string)[]): Uint8Array | undefined {
  if (codes.length === 0) return undefined;
  const table = new Uint8Array(STATUSES);
  for (const code of codes) {
    const text = String(code);
    const [first = text, last = first] = text.split("-");
    table.fill(1, Number(first.replace("xx", "00")), Number(last.replace("xx", "99")) + 1);
  }
  return table;
}
