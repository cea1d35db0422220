import { isMapping, type Json, type JsonObject } from "../../config/json.ts";
import { type Checked, checked, type Problem, refused } from "../../config/problem.ts";
import { formatPath, joinPath } from "../../config/problem-path.ts";
import { readYaml } from "../../config/yaml.ts";
import { KongEntity } from "./kong-entity.ts";

/** Collections whose entities may hold entities of other collections. */
const NESTED: Readonly<Record<string, readonly string[]>> = {
  services: ["routes", "plugins"],
  routes: ["plugins"],
  upstreams: ["targets"],
  consumers: [
    "plugins",
    "keyauth_credentials",
    "basicauth_credentials",
    "jwt_secrets",
    "hmacauth_credentials",
    "oauth2_credentials",
    "acls",
    "mtls_auth_credentials",
  ],
  certificates: ["snis"],
};

/** A Kong declarative file, taken apart: nested entities stand beside the others. */
export class KongFile {
  readonly entities: readonly KongEntity[];
  /** Grows while entities are read. */
  readonly problems: Problem[];
  /** Whether secrets are written as people know them. A copy of Kong's database has passwords as hashes, and says so. */
  readonly isTransformed: boolean;
  readonly #byKind: ReadonlyMap<string, readonly KongEntity[]>;

  constructor(entities: readonly KongEntity[], problems: Problem[], isTransformed: boolean) {
    this.entities = entities;
    this.problems = problems;
    this.isTransformed = isTransformed;
    this.#byKind = Map.groupBy(entities, ({ kind }) => kind);
  }

  /** `ofKind("route")` */
  ofKind(kind: string): readonly KongEntity[] {
    return this.#byKind.get(kind) ?? [];
  }
}

/** Reads a file of the format 3.0, which writes regular expressions with a `~` before them. */
export function readKongFile(text: string): Checked<KongFile> {
  const root = readYaml(text);
  if (!root.ok) return root;
  const format = String(root.value._format_version ?? "");
  if (!format.startsWith("3."))
    return refused([
      { path: "_format_version", message: 'must be "3.0"; convert older files with Kong\'s own tools first' },
    ]);
  const entities: KongEntity[] = [];
  const problems: Problem[] = [];
  for (const [collection, list] of Object.entries(root.value))
    if (!collection.startsWith("_")) collect(collection, list, { path: collection, parents: [], entities, problems });
  return problems.length > 0
    ? refused(problems)
    : checked(new KongFile(entities, problems, root.value._transform !== false));
}

interface Collecting {
  readonly path: string;
  readonly parents: readonly KongEntity[];
  readonly entities: KongEntity[];
  readonly problems: Problem[];
}

function collect(collection: string, list: Json, into: Collecting): void {
  if (list === null) return;
  if (!Array.isArray(list)) {
    into.problems.push({ path: into.path, message: "must be a list" });
    return;
  }
  for (const [position, item] of (list as readonly Json[]).entries()) {
    const path = joinPath(into.path, formatPath([position]));
    if (isMapping(item)) collectEntity(collection, item, { ...into, path });
    else into.problems.push({ path, message: "must be a mapping" });
  }
}

function collectEntity(collection: string, fields: JsonObject, into: Collecting): void {
  const { path, parents, problems } = into;
  const entity = new KongEntity(singular(collection), fields, { path, parents, problems });
  into.entities.push(entity);
  for (const nested of NESTED[collection] ?? []) {
    entity.passOver(nested);
    collect(nested, fields[nested] ?? null, { ...into, path: joinPath(path, nested), parents: [entity, ...parents] });
  }
}

function singular(collection: string): string {
  return collection.replace(/s$/, "");
}
