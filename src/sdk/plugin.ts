import type { z } from "zod";
import type { FailureKind } from "../core/failure.ts";
import type { Answer } from "./answer.ts";
import type { HeaderFields } from "./header-fields.ts";
import type { PluginHost } from "./plugin-host.ts";
import type { RequestContext } from "./request-context.ts";
import type { ResponseContext } from "./response-context.ts";

/** Where a plugin may be configured: for every route, on a route, on an upstream, on a consumer. */
export type PluginScope = "gateway" | "route" | "upstream" | "consumer";

/** What consumers have for a plugin that authenticates: a block under its name. */
export interface ConsumerCredentials {
  readonly config: z.ZodObject;
  /** Where a consumer may have several: the field that lists them, and by which field of its own each is called. */
  readonly list?: { readonly field: string; readonly key: string };
  /**
   * The keys under which a consumer with this block, in running form, is found, by the path at which each stands in the block; see
   * `PluginHost.consumerByKey`. A configuration in which two consumers have the same is refused.
   */
  keysOf(credentials: Readonly<Record<string, unknown>>): Readonly<Record<string, string>>;
}

/** An upstream that a block names. */
export interface NamedUpstream {
  /** Where in the block. */
  readonly path: string;
  readonly upstream: string;
}

/** A plugin as the configuration language sees it: the blocks and the kinds of resources that it adds. */
export interface PluginLanguage {
  /** The key of its blocks, such as `rate_limit`. */
  readonly name: string;
  /** Of the plugin, such as `1.2.0`; left out, it is that of the program that it came with. */
  readonly version?: string;
  /**
   * Whether a node without it may serve what it is configured for: nothing is less protected then. Left out, such a node is not
   * given the configuration.
   */
  readonly dispensable?: boolean;
  /** What a person writes in a block. Its output has to be plain data, since it travels between threads. */
  readonly config: z.ZodObject;
  /** Left out: for every route and on a route. */
  readonly scopes?: readonly PluginScope[];
  /** Kinds of resources that it owns: the schemas of their specs by kind. A document holds them by name under the kind's plural. */
  readonly resources?: Readonly<Record<string, z.ZodObject>>;
  /** Whether it has the hook `authenticate`. */
  readonly authenticates?: boolean;
  /** Whether it answers every request that reaches it: a route that has it needs no targets. */
  readonly answers?: boolean;
  /** The upstreams that a block, in running form, names; one that names an upstream that does not exist is refused. */
  upstreamsOf?(block: Readonly<Record<string, unknown>>): readonly NamedUpstream[];
  /** What consumers have for it; a plugin with credentials cannot be configured on a consumer besides. */
  readonly credentials?: ConsumerCredentials;
}

/** Who asks, as a plugin that authenticates knows it. */
export interface Identity {
  /** Of the consumer; it need not be one of the configuration's. */
  readonly id: string;
  /** What is known about it besides, such as the claims of a token. */
  readonly claims?: Readonly<Record<string, unknown>>;
}

/** One try to have the request answered by one target. */
export interface UpstreamRequest {
  /** Host and port of the target. */
  readonly target: string;
  /** Changes hold for this try alone. */
  readonly headers: HeaderFields;
}

/** Names of headers and query parameters. */
export interface SecretPlaces {
  readonly headers?: readonly string[];
  readonly parameters?: readonly string[];
}

/** What a request came to. */
export interface Outcome {
  readonly status: number;
  readonly failure: FailureKind | undefined;
  readonly durationMs: number;
  readonly requestBytes: number;
  readonly responseBytes: number;
}

type MaybePromise<Value> = Value | Promise<Value>;
// biome-ignore lint/suspicious/noConfusingVoidType: a hook that has nothing to say need not return anything.
export type Said<Value> = Value | undefined | void;

/**
 * What a plugin does, in the order of a request's life. Requests go down the list of plugins, responses come back up. A hook that
 * throws, answers nonsense or takes too long fails its request and nothing else. Hooks that answer no promise cost no turn of
 * the loop; only `onRequest` and `authenticate` may.
 */
export interface PluginHooks {
  /** The head has arrived and a route is chosen. An answer ends the matter: the upstream is not asked. */
  onRequest?(request: RequestContext): MaybePromise<Said<Answer>>;
  /**
   * Finds out who asks. A consumer is accepted, an answer refuses, undefined says that the request brings nothing for this
   * plugin: then others are asked, and when none knows the consumer, the route's `auth` decides.
   */
  authenticate?(request: RequestContext): MaybePromise<Said<Identity | Answer>>;
  /** Where clients send secrets to it: what stands there is never written to a log. */
  readonly secrets?: SecretPlaces;
  /** What a client that did not say who it is gets to read in WWW-Authenticate (RFC 9110 §11.6.1). */
  readonly challenge?: string;
  /** Before each try. */
  onUpstreamRequest?(request: RequestContext, upstream: UpstreamRequest): void;
  /** The head of a response is about to be sent, whoever made it. */
  onResponse?(request: RequestContext, response: ResponseContext): void;
  /** The request is over. */
  onLog?(request: RequestContext, outcome: Outcome): void;
  /** No further request will come; some may still be going on. */
  dispose?(): void;
}

export interface Plugin extends PluginLanguage {
  /** What it needs besides heads; each costs. */
  readonly needs?: PluginNeeds;
  /** How long a promise of its hooks may take; 10,000 when not given. */
  readonly timeoutMs?: number;
  /** Called once for each place where it is configured, never for a request. */
  create(config: never, host: PluginHost): PluginHooks;
}

export interface PluginNeeds {
  /** `onRequest` is called when the body is complete, in `request.body`. */
  readonly requestBody?: "buffered";
  /** The largest body that is waited for; a larger one is refused with 413. 1 MiB when not given. */
  readonly maxBodyBytes?: number;
}

export type PluginDefinition<Config extends z.ZodObject> = Omit<Plugin, "config" | "create"> & {
  readonly config: Config;
  create(config: z.output<Config>, host: PluginHost): PluginHooks;
};

const NAME = /^[a-z][a-z0-9_]{0,62}$/;
const BRAND = Symbol.for("runway.sdk.plugin");

/** Defines a plugin. @throws TypeError when the definition cannot be one */
export function definePlugin<Config extends z.ZodObject>(definition: PluginDefinition<Config>): Plugin {
  const { name, scopes = [], credentials, upstreamsOf } = definition;
  if (!NAME.test(name)) throw new TypeError(`a plugin's name is lower case, such as rate_limit, not "${name}"`);
  if ("enabled" in definition.config.shape) throw new TypeError(`the plugin ${name} gets \`enabled\` from the gateway`);
  if (credentials !== undefined && scopes.includes("consumer"))
    throw new TypeError(`the plugin ${name} has credentials, so it cannot be configured on a consumer`);
  if (upstreamsOf !== undefined && scopes.some((scope) => scope === "upstream" || scope === "consumer"))
    throw new TypeError(
      `the plugin ${name} names upstreams, so it can be configured on routes and for all of them alone`,
    );
  return Object.freeze({ ...definition, [BRAND]: true });
}

export function isPlugin(value: unknown): value is Plugin {
  return typeof value === "object" && value !== null && (value as Record<symbol, unknown>)[BRAND] === true;
}
