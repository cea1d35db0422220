import { z } from "zod";
import { type Delta, findResource } from "../../config/delta.ts";
import type { JsonObject } from "../../config/json.ts";
import type { Resource } from "../../config/resource.ts";
import { identifier } from "../../config/resources/scalars.ts";
import { checkShape } from "../../config/shape.ts";
import type { Snapshot } from "../../config/snapshot.ts";
import { RunwayError } from "../../core/failure.ts";
import { ChangeAnswer, changeShape } from "../answers/change.ts";
import { ChangeQuery, changeAnswer, termsOf } from "../change-terms.ts";
import type { Collection } from "../collection.ts";
import { mergePatch } from "../merge-patch.ts";
import { type AdminRequest, type Operation, operation } from "../operation.ts";
import { PageQuery, pageOf, pageShape } from "../page.ts";
import { parseJsonBody } from "../parse-body.ts";
import { AdminProblem } from "../problem-document.ts";
import { resourceJson, resourceTag } from "../resource-json.ts";
import type { ResourceSources } from "../resource-sources.ts";
import { shownTo } from "../shown-to.ts";

const ROLES = ["control_plane"] as const;
const Mapping = z.record(z.string(), z.unknown()).describe("What is to be different; null removes.");
const NamedItem = z.looseObject({ id: identifier });

/** What there is to do with the resources of a collection: the same for every kind. */
export function resourceOperations(collection: Collection, sources: ResourceSources): Operation[] {
  return [...readOperations(collection, sources), ...writeOperations(collection, sources)];
}

function readOperations(collection: Collection, { desk, redaction }: ResourceSources): Operation[] {
  const { name, description } = collection;
  const path = `/api/v1/${name}`;
  return [
    operation({
      method: "GET",
      path,
      roles: ROLES,
      summary: `A page of ${name}. ${description}`,
      query: PageQuery,
      answer: pageShape(collection.resource),
      handle: async ({ query, caller }) => {
        const { resources } = await desk.head();
        return { json: pageOf(path, resources.filter(collection.holds), query, shownTo(caller, redaction)) };
      },
    }),
    operation({
      method: "GET",
      path: `${path}/{id}`,
      roles: ROLES,
      summary: `One of ${name}, with an ETag for changes that depend on it.`,
      answer: collection.resource,
      handle: async ({ parameters: { id = "" }, caller }) => {
        const resource = found(collection, await desk.head(), id);
        return { json: resourceJson(shownTo(caller, redaction)(resource)), headers: { etag: resourceTag(resource) } };
      },
    }),
  ];
}

function writeOperations(collection: Collection, sources: ResourceSources): Operation[] {
  const { name } = collection;
  const path = `/api/v1/${name}`;
  const change = { roles: ROLES, isRecorded: true, query: ChangeQuery, isConditional: true } as const;
  const write = {
    ...change,
    path: `${path}/{id}`,
    answer: changeShape(collection.resource),
    statuses: [200, 201, 202],
  };
  const adding = operation({
    ...write,
    method: "POST",
    path,
    summary: `Adds one of ${name}; the body holds its id besides its settings.`,
    isConditional: false,
    statuses: [200, 201, 202],
    body: { schema: z.intersection(collection.resource, NamedItem), example: collection.example },
    handle: (request) => create(collection, sources, request),
  });
  return [
    ...(collection.isNamedByPeople ? [adding] : []),
    operation({
      ...write,
      method: "PUT",
      summary: `Makes one of ${name} be what the body says, whether it was there or not.`,
      body: { schema: collection.resource, example: collection.example },
      handle: (request) => replace(collection, sources, request, (_, sent) => sent),
    }),
    operation({
      ...write,
      method: "PATCH",
      statuses: [200, 202],
      summary: `Changes what the body names of one of ${name} (JSON merge patch, RFC 7396); null removes.`,
      body: { schema: Mapping },
      handle: (request) =>
        replace(collection, sources, request, (before, sent) => {
          if (before === undefined) throw missing(collection, request.parameters.id ?? "");
          return mergePatch(resourceJson(before), sent);
        }),
    }),
    operation({
      ...write,
      method: "DELETE",
      statuses: [200, 202],
      answer: ChangeAnswer,
      summary: `Removes one of ${name}.`,
      handle: (request) => remove(collection, sources, request),
    }),
  ];
}

type Write = AdminRequest<ChangeQuery>;

async function create(collection: Collection, sources: ResourceSources, request: Write) {
  const { id, ...spec } = parseJsonBody(NamedItem, request.body) as { id: string } & JsonObject;
  const resource = shaped(collection, id, spec);
  const edit = (head: Snapshot): Delta => {
    if (find(collection, head, id) !== undefined)
      throw new RunwayError(
        "alreadyExists",
        `There is a ${collection.kind} ${JSON.stringify(id)} already. PUT replaces it.`,
      );
    return { upserts: [resource], removals: [] };
  };
  const headers = { location: `/api/v1/${collection.name}/${encodeURIComponent(id)}`, etag: resourceTag(resource) };
  const change = await sources.desk.edit(edit, termsOf(request));
  return changeAnswer(change, sources, request, { data: resource, created: true, headers });
}

async function replace(
  collection: Collection,
  sources: ResourceSources,
  request: Write,
  after: (before: Resource | undefined, sent: JsonObject) => JsonObject,
) {
  const id = validId(collection, request.parameters.id ?? "");
  const sent = parseJsonBody(Mapping, request.body) as JsonObject;
  let outcome: { readonly resource: Resource; readonly created: boolean } | undefined;
  const edit = (head: Snapshot): Delta => {
    const before = find(collection, head, id);
    requireMatch(request, before);
    const { id: named = id, ...spec } = after(before, sent);
    if (named !== id)
      throw new AdminProblem("adminBadRequest", "The body is not valid.", [
        { path: "id", message: `is ${JSON.stringify(id)} in the path; a resource keeps its id` },
      ]);
    const resource = shaped(collection, id, spec);
    outcome = { resource, created: before === undefined };
    return { upserts: [resource], removals: [] };
  };
  const change = await sources.desk.edit(edit, termsOf(request));
  const { resource, created } = outcome!;
  const headers = { etag: resourceTag(resource) };
  return changeAnswer(change, sources, request, { data: resource, created, headers });
}

async function remove(collection: Collection, sources: ResourceSources, request: Write) {
  const { id = "" } = request.parameters;
  const edit = (head: Snapshot): Delta => {
    requireMatch(request, found(collection, head, id));
    return { upserts: [], removals: [{ kind: collection.kind, id }] };
  };
  return changeAnswer(await sources.desk.edit(edit, termsOf(request)), sources, request);
}

/** @throws AdminProblem that lists everything that is wrong with its shape */
export function shaped(collection: Collection, id: string, spec: JsonObject): Resource {
  const schema = collection.schemaOf(id);
  if (schema === undefined) throw missing(collection, id);
  const shape = checkShape(schema, spec);
  if (!shape.ok) {
    const { kind } = collection;
    const problems = shape.problems.map((problem) => ({ ...problem, kind, id }));
    throw new AdminProblem("configurationInvalid", "Nothing has changed. Every problem is listed.", problems);
  }
  return { kind: collection.kind, id, spec };
}

function validId(collection: Collection, id: string): string {
  const shape = collection.isNamedByPeople ? checkShape(identifier, id) : undefined;
  if (shape === undefined || shape.ok) return id;
  throw new AdminProblem("adminBadRequest", "The path is not valid.", [
    { path: "id", message: shape.problems[0]!.message },
  ]);
}

export function found(collection: Collection, head: Snapshot, id: string): Resource {
  const resource = find(collection, head, id);
  if (resource === undefined) throw missing(collection, id);
  return resource;
}

function find(collection: Collection, { resources }: Snapshot, id: string): Resource | undefined {
  const resource = findResource(resources, { kind: collection.kind, id });
  return resource !== undefined && collection.holds(resource) ? resource : undefined;
}

function missing({ kind, name }: Collection, id: string): RunwayError {
  return new RunwayError("notFound", `There is no ${kind} ${JSON.stringify(id)}. GET /api/v1/${name} lists them.`);
}

/** `If-Match` names what the change depends on, `If-None-Match: *` that there is nothing yet (RFC 9110 §13.1). */
export function requireMatch({ headers }: Pick<Write, "headers">, before: Resource | undefined): void {
  const wanted = listOf(headers["if-match"]);
  const isThere = before !== undefined;
  if (listOf(headers["if-none-match"])?.includes("*") && isThere)
    throw new RunwayError("versionConflict", "It is there already, and If-None-Match: * asks for nothing to be there.");
  if (wanted === undefined || (wanted.includes("*") && isThere)) return;
  if (isThere && wanted.includes(resourceTag(before))) return;
  const now = isThere ? `Its ETag is ${resourceTag(before)} now` : "It is not there";
  throw new RunwayError("versionConflict", `${now}, and If-Match asks for ${wanted.join(", ")}. Read it again.`);
}

function listOf(header: string | string[] | undefined): string[] | undefined {
  return header === undefined
    ? undefined
    : String(header)
        .split(",")
        .map((tag) => tag.trim());
}
