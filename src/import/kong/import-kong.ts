import { z } from "zod";
import type { JsonObject } from "../../config/json.ts";
import type { Language } from "../../config/language.ts";
import { type Checked, checked, refused } from "../../config/problem.ts";
import type { Resource } from "../../config/resource.ts";
import { formatDuration } from "../../core/duration.ts";
import { ImportReport } from "../import-report.ts";
import { type Imported, importedDocument } from "../imported-document.ts";
import { ResourceNames } from "../resource-name.ts";
import { type CredentialHashes, ImportedConsumers } from "./imported-consumers.ts";
import { ImportedPlugins } from "./imported-plugins.ts";
import type { KongEntity } from "./kong-entity.ts";
import { type KongFile, readKongFile } from "./kong-file.ts";
import { inKongOrder } from "./kong-order.ts";
import { ROUTE_DEFAULTS, readRoute } from "./read-route.ts";
import { readService, SERVICE_DEFAULTS, type Service, UPSTREAM_DEFAULTS, upstreamSpec } from "./read-service.ts";
import { isParameter, type RouteCase } from "./route-case.ts";

const DEFAULTS: Readonly<Record<string, JsonObject>> = {
  route: ROUTE_DEFAULTS,
  service: SERVICE_DEFAULTS,
  upstream: UPSTREAM_DEFAULTS,
};

const SLASH_AFTER_PATH =
  "a request for the whole prefix, of which nothing is left, reaches the service's path with a slash at its end";
const CUT_WHOLE = "the whole path is to be taken off before the request is sent on, which only a prefix can be";
const CUT_BEFORE_PARAMETER = "a part of the path that stands before a parameter is to be taken off";

export interface KongOptions {
  readonly hashes: CredentialHashes;
  /** Whether routes and consumers whose protection has no counterpart are open. Otherwise they are closed, and reported as such. */
  readonly allowUnprotected?: boolean;
}

/** What a Kong declarative file says, in our language, with an account of what is different. Lists every problem of the file. */
export async function importKong(language: Language, text: string, options: KongOptions): Promise<Checked<Imported>> {
  const file = readKongFile(text);
  return file.ok ? new KongImport(language, file.value, options).run() : file;
}

class KongImport {
  readonly #language: Language;
  readonly #file: KongFile;
  readonly #report = new ImportReport();
  readonly #upstreamNames = new ResourceNames();
  readonly #routeNames = new ResourceNames();
  readonly #upstreams = new Map<string, Resource>();
  readonly #plugins: ImportedPlugins;
  readonly #consumers: ImportedConsumers;

  constructor(language: Language, file: KongFile, { hashes, allowUnprotected = false }: KongOptions) {
    this.#language = language;
    this.#file = file;
    const importing = { language, file, report: this.#report, allowUnprotected };
    this.#plugins = new ImportedPlugins(importing);
    this.#consumers = new ImportedConsumers(importing, this.#plugins, hashes);
  }

  async run(): Promise<Checked<Imported>> {
    const routes = this.#routes(this.#services());
    const consumers = await this.#consumers.resources();
    const settings = this.#plugins.settings();
    if (this.#file.problems.length > 0) return refused(this.#file.problems);
    this.#plugins.reportUnused();
    this.#reportRest();
    const resources = [...this.#upstreams.values(), ...routes, ...consumers, ...settings];
    return checked(importedDocument(this.#language, resources, this.#report));
  }

  #services(): ReadonlyMap<KongEntity, Service> {
    const [upstreams, targets] = [this.#file.ofKind("upstream"), this.#file.ofKind("target")];
    const services = new Map<KongEntity, Service>();
    for (const entity of this.#file.ofKind("service")) {
      const service = readService(entity, upstreams, targets, this.#report);
      if (service !== undefined) services.set(entity, service);
    }
    const used = new Set([...services.values()].map(({ upstream }) => upstream));
    for (const target of targets) {
      const upstream = target.reference("upstream", upstreams);
      if (upstream !== undefined && used.has(upstream))
        this.#report.mapped(target.subject, `a backend of ${upstream.name}`);
    }
    return services;
  }

  #routes(services: ReadonlyMap<KongEntity, Service>): Resource[] {
    const cases: RouteCase[] = [];
    for (const route of this.#file.ofKind("route")) {
      const entity = route.reference("service", this.#file.ofKind("service"));
      if (entity === undefined) this.#report.leftOut(route.subject, "it has no service");
      else if (!services.has(entity)) this.#report.leftOut(route.subject, `its ${entity.subject} is left out`);
      else cases.push(...readRoute(route, entity, this.#report));
    }
    const limited: KongEntity[] = [];
    const { cases: ordered, added, complete } = inKongOrder(cases);
    if (added > 0)
      this.#report.approximated(
        "the file",
        `${added} routes were added, so that requests that fit several go where Kong sends them`,
      );
    if (!complete)
      this.#report.approximated(
        "the file",
        "too many routes overlap: requests that fit several may go to another than in Kong",
      );
    const routes = ordered.flatMap((given) => {
      const made = this.#route(given, services.get(given.service)!);
      for (const { spec } of made) if ("rate_limit" in spec) limited.push(given.route);
      return made;
    });
    for (const [{ subject }, { length }] of Map.groupBy(limited, (route) => route))
      if (length > 1)
        this.#report.approximated(subject, `its limit holds for each of the ${length} routes that it became`);
    const reached = new Set(this.#report.findings.map(({ subject }) => subject));
    for (const { subject } of services.keys())
      if (!reached.has(subject)) this.#report.leftOut(subject, "no route leads to it");
    return routes;
  }

  #route(given: RouteCase, service: Service): Resource[] {
    const { route, path, domains, methods, headers, stripped } = given;
    const rest = path.segments.slice(stripped);
    if (stripped > 0 && rest.some(isParameter)) return this.#leaveOut(given, CUT_BEFORE_PARAMETER);
    if (stripped > 0 && rest.length === 0 && !path.prefix) return this.#leaveOut(given, CUT_WHOLE);
    if (stripped > 0 && service.hasPath) this.#report.approximated(route.subject, SLASH_AFTER_PATH);
    const id = this.#routeNames.take(route.name ?? `${service.entity.name ?? "service"}-route`);
    const upstream = this.#upstream(service, stripped > 0 && rest.length > 0 ? `/${rest.join("/")}` : "");
    const match = {
      ...(domains.length === 0 ? {} : { domains }),
      ...(headers.size === 0 ? {} : { headers: Array.from(headers, ([name, value]) => ({ name, value })) }),
    };
    const timeout = formatDuration(service.readTimeoutMs);
    const spec = {
      path: `/${path.segments.join("/")}`,
      // Only a prefix can be taken off; longer paths belong to this route of Kong as well.
      ...(path.prefix || stripped > 0 ? { path_prefix: true } : {}),
      ...(methods.length === 0 ? {} : { methods }),
      ...(Object.keys(match).length === 0 ? {} : { match }),
      ...(stripped > 0 ? { strip_prefix: true } : {}),
      upstream,
      timeout_policy: { request: timeout, idle: timeout },
      ...(given.needsTls ? { https_redirect: { permanent: isPermanent(route) } } : {}),
      ...this.#plugins.ofRoute(route, service.entity),
    };
    this.#report.mapped(route.subject, `route ${id}`);
    return [{ kind: "route", id, spec }];
  }

  /** The upstream that a service became; another one for each piece of path that has to be put back. */
  #upstream(service: Service, rest: string): string {
    const key = `${service.entity.path} ${rest}`;
    const known = this.#upstreams.get(key);
    if (known !== undefined) return known.id;
    const id = this.#upstreamNames.take(`${service.entity.name ?? "service"}${rest.replaceAll("/", "-")}`);
    this.#upstreams.set(key, {
      kind: "upstream",
      id,
      spec: { ...upstreamSpec(service, rest), ...this.#plugins.ofUpstream(service.entity) },
    });
    this.#report.mapped(service.entity.subject, `upstream ${id}`);
    if (service.upstream !== undefined) this.#report.mapped(service.upstream.subject, `upstream ${id}`);
    return id;
  }

  #leaveOut({ route, path }: RouteCase, why: string): [] {
    this.#report.leftOut(route.subject, `/${path.segments.join("/")}: ${why}`);
    return [];
  }

  /** Whole entities, and single settings of those that were mapped, that nothing has looked at. */
  #reportRest(): void {
    const told = new Set(this.#report.findings.map(({ subject }) => subject));
    const isMapped = new Set(
      this.#report.findings.filter(({ outcome }) => outcome === "mapped").map(({ subject }) => subject),
    );
    for (const entity of this.#file.entities) {
      const { subject, kind } = entity;
      if (!told.has(subject)) this.#report.leftOut(subject, `nothing here corresponds to it (${kind})`);
      if (!isMapped.has(subject)) continue;
      for (const field of entity.unread(DEFAULTS[kind] ?? {}))
        this.#report.leftOut(subject, `the setting ${field} has no counterpart`);
    }
  }
}

/** Whether Kong has browsers remember that the route is for https only. */
function isPermanent(route: KongEntity): boolean {
  return [301, 308].includes(route.read("https_redirect_status_code", z.int(), 426));
}
