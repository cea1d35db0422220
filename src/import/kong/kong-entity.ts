import { z } from "zod";
import { isMapping, type Json, type JsonObject } from "../../config/json.ts";
import type { Problem } from "../../config/problem.ts";
import { joinPath } from "../../config/problem-path.ts";

const Mapping = z.custom<JsonObject>((value) => isMapping(value as Json), "must be a mapping");
/** Fields that say nothing about behaviour. */
const WITHOUT_MEANING = [
  "id",
  "name",
  "username",
  "custom_id",
  "created_at",
  "updated_at",
  "ws_id",
  "workspace",
  "tags",
];

/** An entity of a Kong file. It knows which of its fields have been read, so that none is passed over in silence. */
export class KongEntity {
  /** The collection in the singular: `route`. */
  readonly kind: string;
  /** Where in the file: `services[2].routes[0]`. */
  readonly path: string;
  /** The entities that it is nested in, nearest first. */
  readonly parents: readonly KongEntity[];
  readonly fields: JsonObject;
  readonly #read = new Set<string>(WITHOUT_MEANING);
  readonly #problems: Problem[];

  constructor(kind: string, fields: JsonObject, place: Pick<KongEntity, "path" | "parents"> & { problems: Problem[] }) {
    this.kind = kind;
    this.fields = fields;
    this.path = place.path;
    this.parents = place.parents;
    this.#problems = place.problems;
  }

  /** What people call it; undefined when it has neither name nor id. */
  get name(): string | undefined {
    return ["name", "username", "custom_id", "target", "id"].map((key) => this.fields[key]).find(isText);
  }

  /** For the report: `route orders`; of a plugin, which may stand in many places, `plugin cors of route orders`. */
  get subject(): string {
    const subject = `${this.kind} ${this.name ?? this.path}`;
    return this.kind === "plugin" ? [subject, ...this.#places()].join(" of ") : subject;
  }

  /** A mapping in this entity, whose fields are read like those of an entity. */
  part(field: string): KongEntity {
    const fields = this.read(field, Mapping, {});
    const path = joinPath(this.path, field);
    return new KongEntity(this.kind, fields, { path, parents: [this], problems: this.#problems });
  }

  /** The value of a field; `fallback` when there is none, or a wrong one, which is a problem of the file. */
  read<T>(field: string, schema: z.ZodType<T>, fallback: T): T {
    this.#read.add(field);
    const value = this.fields[field] ?? null;
    if (value === null) return fallback;
    const result = schema.safeParse(value);
    if (result.success) return result.data;
    this.refuse(field, z.prettifyError(result.error).replaceAll("\n", " "));
    return fallback;
  }

  /** Looked at elsewhere. */
  passOver(...fields: readonly string[]): void {
    for (const field of fields) this.#read.add(field);
  }

  refuse(field: string, message: string): void {
    const path = joinPath(this.path, field);
    // A field may be read again.
    if (!this.#problems.some((problem) => problem.path === path)) this.#problems.push({ path, message });
  }

  /** Fields with a value that nobody has read, but for those that hold what Kong would do anyway. */
  unread(defaults: JsonObject): string[] {
    return Object.entries(this.fields)
      .filter(([field, value]) => !this.#read.has(field) && !isEmpty(value) && !isSame(value, defaults[field]))
      .map(([field]) => field);
  }

  /** Where a plugin stands, as the file calls these places. */
  #places(): string[] {
    return ["route", "service", "consumer"].flatMap((kind) => {
      const written = this.fields[kind] ?? null;
      if (written === null) return this.parents[0]?.kind === kind ? [this.parents[0].subject] : [];
      return `${kind} ${nameIn(written)}`;
    });
  }

  /** The entity named by a field such as `service: orders` or `service: {id: …}`, or in which this one is nested. */
  reference(kind: string, entities: readonly KongEntity[]): KongEntity | undefined {
    this.#read.add(kind);
    const written = this.fields[kind] ?? null;
    if (written === null) return this.parents.find((parent) => parent.kind === kind);
    const wanted = nameIn(written);
    const found = entities.find(({ fields }) =>
      [fields.id, fields.name, fields.username].some((key) => key !== undefined && key === wanted),
    );
    if (found === undefined) this.refuse(kind, `there is no ${kind} ${JSON.stringify(wanted)} in the file`);
    return found;
  }
}

/** `orders`, `{name: orders}` or `{id: …}`. */
function nameIn(reference: Json): Json | undefined {
  return isMapping(reference) ? (reference.id ?? reference.name ?? reference.username) : reference;
}

function isText(value: Json | undefined): value is string {
  return typeof value === "string" && value !== "";
}

function isEmpty(value: Json): boolean {
  return value === null || (typeof value === "object" && Object.keys(value).length === 0);
}

function isSame(value: Json, fallback: Json | undefined): boolean {
  return fallback !== undefined && JSON.stringify(value) === JSON.stringify(fallback);
}
