import { z } from "zod";
import { certificatePairs } from "./checks/certificate-pairs.ts";
import type { Check, Names } from "./checks/check.ts";
import { consumerKeys } from "./checks/consumer-keys.ts";
import { duplicateRoutes } from "./checks/duplicate-routes.ts";
import { listenerAddresses } from "./checks/listener-addresses.ts";
import { listenerTls } from "./checks/listener-tls.ts";
import { pathParameters } from "./checks/path-parameters.ts";
import { proxyProtocol } from "./checks/proxy-protocol.ts";
import { routeAuth } from "./checks/route-auth.ts";
import { stripPrefix } from "./checks/strip-prefix.ts";
import { targetPolicies } from "./checks/target-policies.ts";
import { timeouts } from "./checks/timeouts.ts";
import { transportTls } from "./checks/transport-tls.ts";
import { uniqueIds } from "./checks/unique-ids.ts";
import { upstreamReferences } from "./checks/upstream-references.ts";
import type { Configuration, OwnedResource } from "./configuration.ts";
import { isMapping } from "./json.ts";
import type { Language } from "./language.ts";
import { type PluginBlock, splitPlugins } from "./plugin-blocks.ts";
import { type Checked, checked, type Problem, refused } from "./problem.ts";
import { inCanonicalOrder, type Resource } from "./resource.ts";
import type { Certificate } from "./resources/certificate.ts";
import type { Consumer } from "./resources/consumer.ts";
import type { Listener } from "./resources/listener.ts";
import type { Route } from "./resources/route.ts";
import { identifier } from "./resources/scalars.ts";
import { SETTINGS, type Settings, type SettingsName } from "./resources/settings.ts";
import type { Upstream } from "./resources/upstream.ts";
import { inRouteOrder, routePathKey } from "./route-order.ts";
import { resolveSecrets, type SecretResolver } from "./secret-reference.ts";
import { checkShape } from "./shape.ts";

const CHECKS: readonly Check[] = [
  listenerAddresses,
  listenerTls,
  certificatePairs,
  proxyProtocol,
  pathParameters,
  duplicateRoutes,
  upstreamReferences,
  targetPolicies,
  stripPrefix,
  timeouts,
  transportTls,
  routeAuth,
  consumerKeys,
];

/**
 * Everything that is wrong with a set of resources, shape and meaning. Secret references are left as they are, since they
 * can be resolved only on the node that uses them: this is the validation of a control plane.
 */
export function checkResources(language: Language, resources: readonly Resource[]): Problem[] {
  return compile(language, resources).problems;
}

/** The running form of resources on this node, with secrets resolved; or everything that is wrong, with kind and id. */
export function toConfiguration(
  language: Language,
  resources: readonly Resource[],
  { resolveSecret }: { readonly resolveSecret: SecretResolver },
): Checked<Configuration> {
  const { configuration, problems } = compile(language, resources, resolveSecret);
  return problems.length === 0 ? checked(configuration) : refused(problems);
}

/** Checks of meaning run on what has the right shape, so that one answer tells of both. */
function compile(
  language: Language,
  resources: readonly Resource[],
  resolveSecret?: SecretResolver,
): { readonly configuration: Configuration; readonly problems: Problem[] } {
  const ids = uniqueIds(resources.map(({ kind, id }) => ({ kind, id, path: "" })));
  const { configuration, problems } = compileShapes(language, resources, resolveSecret);
  const upstreamIds = new Set(resources.filter(({ kind }) => kind === "upstream").map(({ id }) => id));
  return { configuration, problems: [...ids, ...problems, ...checkMeaning(language, configuration, upstreamIds)] };
}

/** The running forms of what has the right shape, and what is wrong with each resource by itself. */
export function compileShapes(
  language: Language,
  resources: readonly Resource[],
  resolveSecret?: SecretResolver,
): { readonly configuration: Configuration; readonly problems: readonly Problem[] } {
  const problems: Problem[] = [];
  const parts = new Parts(language);
  for (const resource of inCanonicalOrder(resources)) {
    const { running, problems: own } = compileSpec(language, resource, resolveSecret);
    for (const problem of own) problems.push({ ...problem, kind: resource.kind, id: resource.id });
    if (running !== undefined) parts.add(resource, running);
  }
  return { configuration: parts.toConfiguration(), problems };
}

/** What is wrong with resources together. */
export function checkMeaning(language: Language, configuration: Configuration, upstreamIds: Names): Problem[] {
  const routes = inRouteOrder(configuration.routes, routePathKey);
  return CHECKS.flatMap((check) => [...check({ ...configuration, routes, upstreamIds, language })]);
}

/** The running form, whenever the spec has the right shape, and what is wrong with the resource. */
interface CompiledSpec {
  readonly running?: unknown;
  readonly problems: readonly Problem[];
}

function compileSpec(language: Language, resource: Resource, resolveSecret: SecretResolver | undefined): CompiledSpec {
  const { spec } = resource;
  // Resources also come over the wire, where nothing but JSON is promised.
  const schema = language.specificationOf(resource);
  if (schema === undefined) return { problems: [{ path: "", message: unknownResource(language, resource) }] };
  const resolved = resolveSecret && isMapping(spec) ? resolveSecrets(spec, resolveSecret) : { spec, problems: [] };
  const shape = checkShape(schema, resolved.spec);
  const misshapen = shape.ok ? [] : shape.problems;
  const told = resolveSecret === undefined ? misshapen : misshapen.map((problem) => orNoPlugin(schema, spec, problem));
  const problems = [...checkId(language, resource), ...resolved.problems, ...told];
  return shape.ok ? { running: shape.value, problems } : { problems };
}

/** What reaches a node was checked where it was written; what the node does not know is most likely a plugin's. */
function orNoPlugin(schema: z.ZodType, spec: Resource["spec"], problem: Problem): Problem {
  const isForeign =
    schema instanceof z.ZodObject && isMapping(spec) && problem.path in spec && !(problem.path in schema.shape);
  if (!isForeign) return problem;
  return { ...problem, message: `${problem.message}; no plugin of this node has that name, see \`extensions\`` };
}

/** In a document the id of an upstream is the key under which it stands, so it has no path of its own. */
function checkId(language: Language, { kind, id }: Resource): Problem[] {
  const name = kind === "settings" ? checked(id) : checkShape(identifier, id);
  const path = language.sectionOf(kind)?.form === "mapping" ? "" : "id";
  return name.ok ? [] : name.problems.map((problem) => ({ ...problem, path }));
}

/** A node with fewer plugins than its control plane is told what it lacks. */
function unknownResource({ sections, settings }: Language, { kind, id }: Resource): string {
  const names = kind === "settings" ? Object.keys(settings) : sections.map((section) => section.kind);
  const noun = kind === "settings" ? `are no settings "${id}"` : `is no kind "${kind}"`;
  return `there ${noun}; there are ${names.join(", ")}. A plugin that this node does not have may own it`;
}

/** Collects running forms by kind. The casts are sound because each value was parsed by the schema of its kind. */
class Parts {
  readonly #listeners: Listener[] = [];
  readonly #routes: Route[] = [];
  readonly #upstreams: Upstream[] = [];
  readonly #consumers: Consumer[] = [];
  readonly #certificates: Certificate[] = [];
  readonly #settings: Partial<Record<string, unknown>> = {};
  readonly #plugins: Record<string, PluginBlock> = {};
  readonly #owned: Record<string, OwnedResource[]> = {};
  readonly #language: Language;

  constructor(language: Language) {
    this.#language = language;
  }

  add({ kind, id }: Resource, running: unknown): void {
    if (kind === "settings") this.#addSettings(id, running);
    else if (kind === "listener") this.#listeners.push({ ...(running as Omit<Listener, "id">), id });
    else if (kind === "route") this.#routes.push({ ...this.#withPlugins<Route>(running), id });
    else if (kind === "upstream") this.#upstreams.push({ ...this.#withPlugins<Upstream>(running), id });
    else if (kind === "certificate") this.#certificates.push({ ...(running as Omit<Certificate, "id">), id });
    else if (kind === "consumer") this.#consumers.push(this.#consumer(id, running));
    else {
      this.#owned[kind] ??= [];
      this.#owned[kind].push({ ...(running as object), id });
    }
  }

  #consumer(id: string, running: unknown): Consumer {
    const { plugins: blocks } = splitPlugins(this.#language, running as Record<string, unknown>);
    const entries = Object.entries(blocks);
    const isCredential = ([name]: [string, unknown]) => this.#language.hasCredentials(name);
    return {
      id,
      plugins: Object.fromEntries(entries.filter((entry) => !isCredential(entry))),
      credentials: Object.fromEntries(entries.filter(isCredential)),
    };
  }

  #addSettings(name: string, running: unknown): void {
    if (this.#language.isPlugin(name)) this.#plugins[name] = running as PluginBlock;
    else this.#settings[name] = running;
  }

  #withPlugins<Running extends Route | Upstream>(running: unknown): Omit<Running, "id"> {
    const { own, plugins } = splitPlugins(this.#language, running as Record<string, unknown>);
    return { ...own, plugins } as unknown as Omit<Running, "id">;
  }

  toConfiguration(): Configuration {
    const names = Object.keys(SETTINGS) as SettingsName[];
    const settings = names.map((name) => [name, this.#settings[name] ?? this.#language.defaults[name]] as const);
    return {
      listeners: this.#listeners,
      routes: this.#routes,
      upstreams: this.#upstreams,
      consumers: this.#consumers,
      certificates: this.#certificates,
      settings: Object.fromEntries(settings) as Settings,
      plugins: this.#plugins,
      owned: this.#owned,
    };
  }
}
