import { z } from "zod";
import type { Json, JsonObject } from "../../config/json.ts";
import { isMapping } from "../../config/json.ts";
import type { Language } from "../../config/language.ts";
import { type Checked, checked, refused } from "../../config/problem.ts";
import type { Resource } from "../../config/resource.ts";
import { checkShape } from "../../config/shape.ts";
import { readYaml } from "../../config/yaml.ts";
import { ImportReport } from "../import-report.ts";
import { type Imported, importedDocument } from "../imported-document.ts";
import { ResourceNames } from "../resource-name.ts";

const METHODS = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];
/** What describes requests without saying where they go. */
const DESCRIPTIVE = ["summary", "description", "parameters", "servers", "$ref"];

const Server = z.object({
  url: z.string(),
  variables: z.record(z.string(), z.object({ default: z.string() })).default({}),
});
const Servers = z.array(Server).default([]);
const Description = z.object({
  openapi: z.string().regex(/^3\.[01]\b/, "must be 3.0 or 3.1; convert older descriptions first"),
  info: z.object({ title: z.string().default("api") }).default({ title: "api" }),
  servers: Servers,
  paths: z.record(z.string(), z.unknown()).default({}),
});
type Description = z.output<typeof Description>;

/**
 * The routes of an OpenAPI description (3.0 or 3.1): one for each path, with the methods that it has operations for.
 * @param target where requests go; the description's first server when not given
 */
export function importOpenApi(
  language: Language,
  text: string,
  { target }: { readonly target?: string } = {},
): Checked<Imported> {
  const root = readYaml(text);
  if (!root.ok) return root;
  const description = checkShape(Description, root.value);
  if (!description.ok) return description;
  return new OpenApiImport(language, description.value, root.value, target).run();
}

class OpenApiImport {
  readonly #language: Language;
  readonly #description: Description;
  readonly #root: JsonObject;
  readonly #target: string | undefined;
  readonly #report = new ImportReport();
  readonly #names = new ResourceNames();
  readonly #upstreamNames = new ResourceNames();
  readonly #upstreams = new Map<string, Resource>();

  constructor(language: Language, description: Description, root: JsonObject, target: string | undefined) {
    this.#language = language;
    this.#description = description;
    this.#root = root;
    this.#target = target;
  }

  run(): Checked<Imported> {
    const routes: Resource[] = [];
    for (const [path, item] of Object.entries(this.#description.paths)) {
      if (!path.startsWith("/") || !isMapping(item as Json)) continue;
      const server = this.#serverOf(item as JsonObject);
      if (server === undefined) return refused([{ path: "servers", message: NO_SERVER }]);
      routes.push(...this.#route(path, item as JsonObject, server));
    }
    for (const block of ["security", "webhooks"])
      if (this.#root[block] !== undefined) this.#report.leftOut(`the ${block} block`, "it has no counterpart");
    return checked(importedDocument(this.#language, [...this.#upstreams.values(), ...routes], this.#report));
  }

  #route(path: string, item: JsonObject, server: URL): Resource[] {
    const subject = `path ${path}`;
    if (item.$ref !== undefined) {
      this.#report.leftOut(subject, "it stands in another place ($ref)");
      return [];
    }
    const methods = METHODS.filter((method) => item[method] !== undefined).map((method) => method.toUpperCase());
    if (methods.length === 0) return [];
    for (const key of Object.keys(item))
      if (!METHODS.includes(key) && !DESCRIPTIVE.includes(key) && !key.startsWith("x-"))
        this.#report.leftOut(subject, `${key} has no counterpart`);
    for (const method of METHODS) this.#reportOperation(subject, item[method]);
    const full = `${server.pathname.replace(/\/$/, "")}${path}`.replaceAll(/\{([^{}/]+)\}/g, parameter);
    const id = this.#names.take(full.replaceAll(/[{}]/g, "").replaceAll("/", "-"));
    this.#report.mapped(subject, `route ${id}`);
    const spec = { path: full, methods, upstream: this.#upstream(server) };
    return [{ kind: "route", id, spec }];
  }

  #reportOperation(subject: string, operation: Json | undefined): void {
    if (!isMapping(operation)) return;
    if (operation.security !== undefined) this.#report.leftOut(subject, "security of an operation has no counterpart");
    if (operation.servers !== undefined)
      this.#report.leftOut(subject, "servers of a single operation have no counterpart");
  }

  /** Undefined when nothing says where requests go. */
  #serverOf(item: JsonObject): URL | undefined {
    const own = Servers.safeParse(item.servers);
    const [server] = own.success && own.data.length > 0 ? own.data : this.#description.servers;
    const text = server?.url.replaceAll(/\{([^{}]+)\}/g, (_, name) => server.variables[name]?.default ?? "") ?? "/";
    return URL.parse(text, this.#target) ?? undefined;
  }

  #upstream({ origin }: URL): string {
    const target = this.#target === undefined ? origin : new URL(this.#target).origin;
    const known = this.#upstreams.get(target);
    if (known !== undefined) return known.id;
    const id = this.#upstreamNames.take(this.#description.info.title);
    this.#upstreams.set(target, { kind: "upstream", id, spec: { backends: [{ url: target }] } });
    this.#report.mapped(`server ${target}`, `upstream ${id}`);
    return id;
  }
}

const NO_SERVER = "no server says with scheme and host where requests go; name one with --target URL";

/** Parameters of a path have names of letters, digits and `_` here. */
function parameter(_: string, name: string): string {
  return `{${name.replaceAll(/\W/g, "_").replace(/^(?=\d)/, "_")}}`;
}
