/** How a plugin is tried without sockets: `import { … } from "runway/sdk/testing"`. Only for tests. */
import { buffer } from "node:stream/consumers";
import { type Clock, systemClock } from "../core/clock.ts";
import { silentLogger } from "../core/ports.ts";
import { type Answer, isAnswer } from "./answer.ts";
import type { FieldSource, HeaderFields } from "./header-fields.ts";
import type { Outcome, Plugin, PluginHooks } from "./plugin.ts";
import type { HostRequest, HostResponse, KnownConsumer, PluginHost } from "./plugin-host.ts";
import { type Consumer, RequestContext } from "./request-context.ts";
import { ResponseContext } from "./response-context.ts";
import { SharedNumbers } from "./shared-numbers.ts";

export { systemClock };

type Headers = Readonly<Record<string, string>>;

export interface TestRequest {
  readonly method: string;
  readonly target: string;
  /** The path of the route, a prefix. */
  readonly route: string;
  readonly host: string;
  readonly scheme: "http" | "https";
  readonly client: string;
  readonly headers: Headers;
  readonly body: string;
  /** Who it comes from, as if a plugin before had found out. */
  readonly consumer: string | undefined;
}

/** A request from 192.0.2.1 to http://gateway.example unless told otherwise. */
export function request(target = "/", init: Partial<Omit<TestRequest, "target">> = {}): TestRequest {
  const usual = { method: "GET", route: "/", host: "gateway.example", scheme: "http", client: "192.0.2.1" } as const;
  return { ...usual, headers: {}, body: "", consumer: undefined, ...init, target };
}

export interface TestSurroundings {
  /** What the upstream answers: 200 with the text "upstream" unless told otherwise. */
  readonly upstream?: { readonly status?: number; readonly headers?: Headers; readonly body?: string };
  /** Consumers by name, with what they have for the plugin. */
  readonly consumers?: Readonly<Record<string, unknown>>;
  /** Resources that the plugin owns, by kind and name. */
  readonly resources?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly fetch?: (url: string, request: HostRequest) => Promise<Partial<HostResponse>>;
  readonly clock?: Clock;
}

/** What a request came to. */
export interface TestResult {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** The code of the failure, when the plugin refused. */
  readonly failure: string | undefined;
  readonly consumer: Consumer | undefined;
  /** What the upstream got; undefined when it was not asked. */
  readonly forwarded:
    | {
        readonly target: string;
        readonly host: string;
        readonly upstream: string | undefined;
        /** Upstreams that got a copy. */
        readonly copies: readonly string[];
        readonly headers: Headers;
      }
    | undefined;
}

/** Sends one request through a plugin that is configured as `config` says. */
export async function run(
  plugin: Plugin,
  config: unknown,
  asked: TestRequest = request(),
  surroundings: TestSurroundings = {},
): Promise<TestResult> {
  return new TestPlugin(plugin, config, surroundings).run(asked);
}

/** A plugin in one place, for tests that send it several requests. */
export class TestPlugin {
  readonly hooks: PluginHooks;
  /** What it has counted, by event. */
  readonly events: Record<string, number> = {};
  readonly outcomes: Outcome[] = [];
  readonly #plugin: Plugin;
  readonly #surroundings: TestSurroundings;
  readonly #consumers = new Map<string, KnownConsumer>();

  /** @throws ZodError when the plugin cannot be configured so */
  constructor(plugin: Plugin, config: unknown, surroundings: TestSurroundings = {}) {
    this.#plugin = plugin;
    this.#surroundings = surroundings;
    for (const [id, held] of Object.entries(surroundings.consumers ?? {})) this.#know(id, held);
    // Configurations travel between threads, so they have to survive that.
    this.hooks = plugin.create(structuredClone(plugin.config.strict().parse(config)) as never, this.#host());
  }

  async run(asked: TestRequest = request()): Promise<TestResult> {
    const { hooks } = this;
    const context = contextOf(asked);
    const said = (await hooks.authenticate?.(context)) ?? (await hooks.onRequest?.(context));
    if (said !== undefined && !isAnswer(said))
      context.consumer = { id: said.id, authenticatedBy: this.#plugin.name, claims: said.claims ?? {} };
    const result = isAnswer(said) ? this.#answered(context, said) : await this.#forwarded(context);
    const { status } = result;
    const outcome = { status, failure: isAnswer(said) ? said.failure : undefined, durationMs: 1 };
    hooks.onLog?.(context, { ...outcome, requestBytes: asked.body.length, responseBytes: result.body.length });
    this.outcomes.push({ ...outcome, requestBytes: asked.body.length, responseBytes: result.body.length });
    return result;
  }

  #answered(context: RequestContext, { status, headers, body, failure }: Answer): TestResult {
    const response = new ResponseContext({
      ...{ status, fields: headers, contentLength: body.length, hasBody: false, isFromUpstream: false, failure },
    });
    this.hooks.onResponse?.(context, response);
    return {
      status: response.status,
      headers: plain(response.headers),
      body: Buffer.from(body),
      failure,
      consumer: context.consumer,
      forwarded: undefined,
    };
  }

  async #forwarded(context: RequestContext): Promise<TestResult> {
    const headers = context.headers.copy();
    this.hooks.onUpstreamRequest?.(context, { target: "upstream.example:80", headers });
    const { status = 200, headers: answered = {}, body = "upstream" } = this.#surroundings.upstream ?? {};
    const response = new ResponseContext({
      ...{ status, fields: fieldsOf(answered), contentLength: Buffer.byteLength(body), failure: undefined },
      hasBody: context.method !== "HEAD" && status !== 204 && status !== 304,
      isFromUpstream: true,
    });
    this.hooks.onResponse?.(context, response);
    return {
      status: response.status,
      headers: plain(response.headers),
      body: await bodyThrough(response, body),
      failure: undefined,
      consumer: context.consumer,
      forwarded: {
        target: context.target,
        host: context.authority ?? "upstream.example:80",
        upstream: context.upstream,
        copies: copiesOf(context),
        headers: plain(headers),
      },
    };
  }

  #know(id: string, held: unknown): void {
    const { credentials } = this.#plugin;
    if (credentials === undefined) throw new TypeError(`consumers have nothing for the plugin ${this.#plugin.name}`);
    const parsed = credentials.config.strict().parse(held);
    for (const key of Object.values(credentials.keysOf(parsed))) this.#consumers.set(key, { id, credentials: parsed });
  }

  #host(): PluginHost {
    const { clock = systemClock, resources = {}, fetch } = this.#surroundings;
    const shared = new SharedNumbers(SharedNumbers.allocate());
    return {
      place: "route:test",
      logger: silentLogger,
      clock,
      shared,
      count: (event, amount = 1) => {
        this.events[event] = (this.events[event] ?? 0) + amount;
      },
      async fetch(url, asked = {}) {
        if (fetch === undefined) throw new Error(`the test has no answer for ${url}`);
        return { status: 200, headers: new Map(), body: Buffer.alloc(0), ...(await fetch(url, asked)) };
      },
      resource: (kind, id) => resources[kind]?.[id] as Readonly<Record<string, unknown>> | undefined,
      consumerByKey: (key) => this.#consumers.get(key),
    };
  }
}

/** Every copy is answered, unless the body is too long for it. */
function copiesOf({ copies, body }: RequestContext): string[] {
  const sent = copies.filter(({ copy }) => (body?.length ?? 0) <= copy.maxBodyBytes);
  for (const pending of copies) pending.over(sent.includes(pending) ? "answered" : "too_large");
  return sent.map(({ copy }) => copy.upstream);
}

function contextOf({
  method,
  target,
  route,
  host,
  scheme,
  client,
  headers,
  body,
  consumer,
}: TestRequest): RequestContext {
  const mark = target.indexOf("?");
  const path = mark < 0 ? target : target.slice(0, mark);
  const query = mark < 0 ? "" : target.slice(mark);
  const fields = fieldsOf(headers);
  const prefix = route.replace(/\/+$/, "");
  const source = { method, scheme, host, path, query, client, fields, requestId: "test-request" };
  const context = new RequestContext({
    ...source,
    route: { id: "test", rest: (whole) => whole.slice(prefix.length), rewrite: (whole) => whole },
  });
  context.body = Buffer.from(body);
  if (consumer !== undefined) context.consumer = { id: consumer, authenticatedBy: "test", claims: {} };
  return context;
}

/** As received: nothing of it counts as changed. */
function fieldsOf(headers: Headers): FieldSource {
  const lines = Object.entries(headers);
  const values = (lower: string) => lines.filter(([name]) => name.toLowerCase() === lower).map(([, value]) => value);
  return {
    names: () => lines.map(([name]) => name),
    values,
    get: (lower) => (values(lower).length === 0 ? undefined : values(lower).join(", ")),
  };
}

function plain(fields: HeaderFields): Record<string, string> {
  return Object.fromEntries(Array.from(fields.names(), (name) => [name, fields.get(name)!]));
}

async function bodyThrough({ transforms }: ResponseContext, body: string): Promise<Buffer> {
  const [first, ...rest] = transforms;
  if (first === undefined) return Buffer.from(body);
  const last = rest.reduce((stream, transform) => stream.pipe(transform.stream), first.stream);
  first.stream.end(body);
  return buffer(last);
}
