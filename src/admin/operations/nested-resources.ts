import { z } from "zod";
import { isMapping, type Json, type JsonObject } from "../../config/json.ts";
import type { Resource } from "../../config/resource.ts";
import type { Snapshot } from "../../config/snapshot.ts";
import { RunwayError } from "../../core/failure.ts";
import { ChangeAnswer } from "../answers/change.ts";
import { ChangeQuery, changeAnswer, termsOf } from "../change-terms.ts";
import type { Collection } from "../collection.ts";
import { mergePatch } from "../merge-patch.ts";
import { type AdminRequest, type Operation, operation } from "../operation.ts";
import { parseJsonBody } from "../parse-body.ts";
import type { ResourceSources } from "../resource-sources.ts";
import { shownTo } from "../shown-to.ts";
import { found, requireMatch, shaped } from "./resources.ts";

/** Lists inside resources that have an address of their own: the field that holds one, and the field by which its items are known. */
const NESTED = [{ kind: "upstream", name: "targets", one: "target", field: "backends", key: "url" }] as const;
type Nested = (typeof NESTED)[number];

const ROLES = ["control_plane"] as const;
const Mapping = z.record(z.string(), z.unknown());
const Item = z.looseObject({});
type Write = AdminRequest<ChangeQuery>;
type Items = readonly JsonObject[];
type Parameters = Pick<Write, "parameters">;

/** The lists inside the resources of a collection. An item is known by the value of its key, as it stands or percent-encoded. */
export function nestedOperations(collection: Collection, sources: ResourceSources): Operation[] {
  return NESTED.filter(({ kind }) => kind === collection.kind).flatMap((nested) =>
    listOperations(collection, nested, sources),
  );
}

function listOperations(collection: Collection, nested: Nested, sources: ResourceSources): Operation[] {
  const { name, one } = nested;
  const path = `/api/v1/${collection.name}/{id}/${name}`;
  const item = `${path}/{${one}}`;
  const list = `the ${name} of one of ${collection.name}`;
  const change = { roles: ROLES, isRecorded: true, query: ChangeQuery, isConditional: true } as const;
  const write = { ...change, answer: ChangeAnswer, statuses: [200, 202] };
  const body = { schema: Mapping };
  const items = async ({ parameters: { id = "" }, caller }: Pick<Write, "parameters" | "caller">) =>
    itemsOf(shownTo(caller, sources.redaction)(found(collection, await sources.desk.head(), id)), nested);
  const make = (request: Write, edit: (items: Items) => Items) =>
    changeItems(collection, nested, sources, request, edit);
  return [
    operation({
      method: "GET",
      path,
      roles: ROLES,
      summary: `All of ${list}.`,
      answer: z.strictObject({ data: z.array(Item) }),
      handle: async (request) => ({ json: { data: await items(request) } }),
    }),
    operation({
      method: "GET",
      path: item,
      roles: ROLES,
      summary: `One of ${list}.`,
      answer: Item,
      handle: async (request) => {
        const all = await items(request);
        return { json: all[positionOf(all, nested, request)]! };
      },
    }),
    operation({
      ...write,
      method: "POST",
      path,
      body,
      summary: `Adds to ${list}.`,
      handle: (request) => make(request, (all) => added(all, nested, sentBy(request))),
    }),
    operation({
      ...write,
      method: "PATCH",
      path: item,
      body,
      summary: `Changes what the body names of one of ${list} (JSON merge patch, RFC 7396).`,
      handle: (request) => make(request, (all) => patched(all, positionOf(all, nested, request), sentBy(request))),
    }),
    operation({
      ...write,
      method: "DELETE",
      path: item,
      summary: `Removes one of ${list}.`,
      handle: (request) => make(request, (all) => all.toSpliced(positionOf(all, nested, request), 1)),
    }),
  ];
}

async function changeItems(
  collection: Collection,
  nested: Nested,
  sources: ResourceSources,
  request: Write,
  edit: (items: Items) => Items,
) {
  const make = (head: Snapshot) => {
    const resource = found(collection, head, request.parameters.id ?? "");
    requireMatch(request, resource);
    const spec = { ...resource.spec, [nested.field]: edit(itemsOf(resource, nested)) };
    return { upserts: [shaped(collection, resource.id, spec)], removals: [] };
  };
  return changeAnswer(await sources.desk.edit(make, termsOf(request)), sources, request);
}

function added(items: Items, { one, key }: Nested, sent: JsonObject): Items {
  if (!items.some((known) => known[key] === sent[key])) return [...items, sent];
  throw new RunwayError("alreadyExists", `There is a ${one} ${JSON.stringify(sent[key])} already.`);
}

function patched(items: Items, position: number, sent: JsonObject): Items {
  return items.with(position, mergePatch(items[position], sent));
}

function sentBy({ body }: Pick<Write, "body">): JsonObject {
  return parseJsonBody(Mapping, body) as JsonObject;
}

function itemsOf({ spec }: Resource, { field }: Nested): Items {
  const list: Json | undefined = spec[field];
  return Array.isArray(list) ? (list as readonly Json[]).filter(isMapping) : [];
}

function positionOf(items: Items, { name, one, key }: Nested, { parameters }: Parameters): number {
  const wanted = parameters[one] ?? "";
  const position = items.findIndex((known) => known[key] === wanted);
  if (position >= 0) return position;
  throw new RunwayError(
    "notFound",
    `There is no such ${one}: ${JSON.stringify(wanted)}. GET the ${name} for the list.`,
  );
}
