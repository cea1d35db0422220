import type { z } from "zod";
import type { Check } from "./checks/check.ts";
import { duplicateRoutes } from "./checks/duplicate-routes.ts";
import { listenerAddresses } from "./checks/listener-addresses.ts";
import { listenerTls } from "./checks/listener-tls.ts";
import { pathParameters } from "./checks/path-parameters.ts";
import { stripPrefix } from "./checks/strip-prefix.ts";
import { timeouts } from "./checks/timeouts.ts";
import { transportTls } from "./checks/transport-tls.ts";
import { uniqueIds } from "./checks/unique-ids.ts";
import { upstreamReferences } from "./checks/upstream-references.ts";
import type { Configuration } from "./configuration.ts";
import { isMapping } from "./json.ts";
import { type Checked, checked, type Problem, refused } from "./problem.ts";
import { inCanonicalOrder, RESOURCE_KINDS, type Resource } from "./resource.ts";
import type { Listener } from "./resources/listener.ts";
import type { Route } from "./resources/route.ts";
import { identifier } from "./resources/scalars.ts";
import { SETTINGS, type Settings } from "./resources/settings.ts";
import type { Upstream } from "./resources/upstream.ts";
import { inRouteOrder, routePathKey } from "./route-order.ts";
import { resolveSecrets, type SecretResolver } from "./secret-reference.ts";
import { checkShape } from "./shape.ts";
import { SETTINGS_NAMES, specificationOf } from "./specification.ts";

const CHECKS: readonly Check[] = [
  listenerAddresses,
  listenerTls,
  pathParameters,
  duplicateRoutes,
  upstreamReferences,
  stripPrefix,
  timeouts,
  transportTls,
];

/**
 * Everything that is wrong with a set of resources, shape and meaning. Secret references are left as they are, since they
 * can be resolved only on the node that uses them: this is the validation of a control plane.
 */
export function checkResources(resources: readonly Resource[]): Problem[] {
  return compile(resources).problems;
}

/** The running form of resources on this node, with secrets resolved; or everything that is wrong, with kind and id. */
export function toConfiguration(
  resources: readonly Resource[],
  { resolveSecret }: { readonly resolveSecret: SecretResolver },
): Checked<Configuration> {
  const { configuration, problems } = compile(resources, resolveSecret);
  return problems.length === 0 ? checked(configuration) : refused(problems);
}

/** Checks of meaning run on what has the right shape, so that one answer tells of both. */
function compile(
  resources: readonly Resource[],
  resolveSecret?: SecretResolver,
): { readonly configuration: Configuration; readonly problems: Problem[] } {
  const problems: Problem[] = [...uniqueIds(resources.map(({ kind, id }) => ({ kind, id, path: "" })))];
  const parts = new Parts();
  for (const resource of inCanonicalOrder(resources)) {
    const { running, problems: own } = compileSpec(resource, resolveSecret);
    for (const problem of own) problems.push({ ...problem, kind: resource.kind, id: resource.id });
    if (running !== undefined) parts.add(resource, running);
  }
  const configuration = parts.toConfiguration();
  const upstreamIds = new Set(resources.filter(({ kind }) => kind === "upstream").map(({ id }) => id));
  for (const check of CHECKS) problems.push(...check({ ...configuration, upstreamIds }));
  return { configuration, problems };
}

/** The running form, whenever the spec has the right shape, and what is wrong with the resource. */
interface CompiledSpec {
  readonly running?: unknown;
  readonly problems: readonly Problem[];
}

function compileSpec(resource: Resource, resolveSecret: SecretResolver | undefined): CompiledSpec {
  const { kind, id, spec } = resource;
  // Resources also come over the wire, where nothing but JSON is promised.
  if (!RESOURCE_KINDS.includes(kind)) return { problems: [{ path: "", message: `there is no kind "${kind}"` }] };
  const schema = specificationOf(resource);
  if (schema === undefined) return { problems: [{ path: "", message: unknownSettings(id) }] };
  const resolved = resolveSecret && isMapping(spec) ? resolveSecrets(spec, resolveSecret) : { spec, problems: [] };
  const shape = checkShape(schema, resolved.spec);
  const problems = [...checkId(resource), ...resolved.problems, ...(shape.ok ? [] : shape.problems)];
  return shape.ok ? { running: shape.value, problems } : { problems };
}

/** In a document the id of an upstream is the key under which it stands, so it has no path of its own. */
function checkId({ kind, id }: Resource): Problem[] {
  const name = kind === "settings" ? checked(id) : checkShape(identifier, id);
  return name.ok ? [] : name.problems.map((problem) => ({ ...problem, path: kind === "upstream" ? "" : "id" }));
}

function unknownSettings(id: string): string {
  return `there are no settings "${id}"; there are ${SETTINGS_NAMES.join(", ")}`;
}

/** Collects running forms by kind. The casts are sound because each value was parsed by the schema of its kind. */
class Parts {
  readonly #listeners: Listener[] = [];
  readonly #routes: Route[] = [];
  readonly #upstreams: Upstream[] = [];
  readonly #settings: Partial<Record<string, unknown>> = {};

  add({ kind, id }: Resource, running: unknown): void {
    if (kind === "settings") this.#settings[id] = running;
    else if (kind === "listener") this.#listeners.push({ ...(running as Omit<Listener, "id">), id });
    else if (kind === "route") this.#routes.push({ ...(running as Omit<Route, "id">), id });
    else this.#upstreams.push({ ...(running as Omit<Upstream, "id">), id });
  }

  toConfiguration(): Configuration {
    const settings = SETTINGS_NAMES.map((name) => [name, this.#settings[name] ?? defaultsOf(SETTINGS[name])] as const);
    return {
      listeners: this.#listeners,
      routes: inRouteOrder(this.#routes, routePathKey),
      upstreams: this.#upstreams,
      settings: Object.fromEntries(settings) as Settings,
    };
  }
}

function defaultsOf<Schema extends z.ZodType>(schema: Schema): z.output<Schema> {
  return schema.parse({});
}
