import { z } from "zod";
import { isMapping, type Json, type JsonObject } from "../../config/json.ts";
import type { Language } from "../../config/language.ts";
import type { Resource } from "../../config/resource.ts";
import { RunwayError } from "../../core/failure.ts";
import type { ChangeQuery } from "../change-terms.ts";
import type { Collection } from "../collection.ts";
import { mergePatch } from "../merge-patch.ts";
import { type AdminRequest, type Operation, operation } from "../operation.ts";
import { parseJsonBody } from "../parse-body.ts";
import { AdminProblem } from "../problem-document.ts";
import { resourceTag } from "../resource-json.ts";
import type { ResourceSources } from "../resource-sources.ts";
import { shownTo } from "../shown-to.ts";
import { changePart, PART_CHANGE } from "./change-part.ts";
import { found } from "./resources.ts";

/** A list inside the resources of a kind whose items have addresses of their own. */
interface Nested {
  readonly kind: string;
  /** In the path, behind the resource. */
  readonly name: string;
  readonly one: string;
  /** Where in the spec it is. */
  readonly block?: string;
  readonly field: string;
  /** By which its items are known. */
  readonly key: string;
}

const NESTED: readonly Nested[] = [{ kind: "upstream", name: "targets", one: "target", field: "backends", key: "url" }];

/** The lists of credentials that consumers have for plugins. */
function credentialLists({ plugins }: Language): Nested[] {
  return plugins.flatMap(({ name: block, credentials }) => {
    if (credentials?.list === undefined) return [];
    const { field, key } = credentials.list;
    const one = field.replace(/s$/, "");
    return [{ kind: "consumer", name: `credentials/${block}/${field}`, one, block, field, key }];
  });
}

const ROLES = ["control_plane"] as const;
const Mapping = z.record(z.string(), z.unknown());
const Item = z.looseObject({});
type Read = Pick<AdminRequest<unknown>, "parameters" | "caller">;
type Write = AdminRequest<ChangeQuery>;
type Items = readonly JsonObject[];

/** The lists inside the resources of a collection. An item is known by the value of its key, as it stands or percent-encoded. */
export function nestedOperations(collection: Collection, language: Language, sources: ResourceSources): Operation[] {
  return [...NESTED, ...credentialLists(language)]
    .filter(({ kind }) => kind === collection.kind)
    .flatMap((nested) => listOperations(collection, nested, sources));
}

function listOperations(collection: Collection, nested: Nested, sources: ResourceSources): Operation[] {
  const path = `/api/v1/${collection.name}/{id}/${nested.name}`;
  const place: Place = {
    ...{ path, item: `${path}/{${nested.one}}`, list: `the ${nested.name} of one of ${collection.name}` },
    ...{ collection, nested, sources },
  };
  return [...readOperations(place), ...writeOperations(place)];
}

interface Place {
  readonly path: string;
  readonly item: string;
  /** In words. */
  readonly list: string;
  readonly collection: Collection;
  readonly nested: Nested;
  readonly sources: ResourceSources;
}

function readOperations({ path, item, list, collection, nested, sources }: Place): Operation[] {
  const shown = async ({ parameters: { id = "" }, caller }: Read) => {
    const resource = found(collection, await sources.desk.head(), id);
    const items = itemsOf(shownTo(caller, sources.redaction)(resource).spec, nested);
    return { items, headers: { etag: resourceTag(resource) } };
  };
  return [
    operation({
      ...{ method: "GET", path, roles: ROLES, summary: `All of ${list}.` },
      answer: z.strictObject({ data: z.array(Item) }),
      handle: async (request) => {
        const { items, headers } = await shown(request);
        return { json: { data: items }, headers };
      },
    }),
    operation({
      ...{ method: "GET", path: item, roles: ROLES, summary: `One of ${list}.` },
      answer: Item,
      handle: async (request) => {
        const { items, headers } = await shown(request);
        return { json: items[positionOf(items, nested, request)]!, headers };
      },
    }),
  ];
}

function writeOperations({ path, item, list, collection, nested, sources }: Place): Operation[] {
  const body = { schema: Mapping };
  const change = (request: Write, edit: (items: Items) => Items) =>
    changePart(collection, sources, request, (spec) => withItems(spec, nested, edit(itemsOf(spec, nested))));
  return [
    operation({
      ...{ ...PART_CHANGE, method: "POST", path, body, summary: `Adds to ${list}.` },
      handle: (request) => change(request, (all) => added(all, nested, sentBy(request))),
    }),
    operation({
      ...{ ...PART_CHANGE, method: "PATCH", path: item, body },
      summary: `Changes what the body names of one of ${list} (JSON merge patch, RFC 7396).`,
      handle: (request) => change(request, (all) => patched(all, positionOf(all, nested, request), sentBy(request))),
    }),
    operation({
      ...{ ...PART_CHANGE, method: "DELETE", path: item, summary: `Removes one of ${list}.` },
      handle: (request) => change(request, (all) => all.toSpliced(positionOf(all, nested, request), 1)),
    }),
  ];
}

function added(items: Items, { one, key }: Nested, sent: JsonObject): Items {
  const name = sent[key];
  if (typeof name !== "string" || name === "") {
    const message = "is required: by it the item is known in the path";
    throw new AdminProblem("adminBadRequest", "The body is not valid.", [{ path: key, message }]);
  }
  if (!items.some((known) => known[key] === name)) return [...items, sent];
  throw new RunwayError("alreadyExists", `There is a ${one} ${JSON.stringify(name)} already.`);
}

function patched(items: Items, position: number, sent: JsonObject): Items {
  return items.with(position, mergePatch(items[position], sent));
}

function sentBy({ body }: Pick<Write, "body">): JsonObject {
  return parseJsonBody(Mapping, body) as JsonObject;
}

function itemsOf(spec: Resource["spec"], { block, field }: Nested): Items {
  const holder = block === undefined ? spec : spec[block];
  const list: Json | undefined = isMapping(holder) ? holder[field] : undefined;
  return Array.isArray(list) ? (list as readonly Json[]).filter(isMapping) : [];
}

/** With the last item of a block goes the block: a consumer without keys has no credential. */
function withItems(spec: JsonObject, { block, field }: Nested, items: Items): JsonObject {
  if (block === undefined) return { ...spec, [field]: items };
  const { [block]: before, ...others } = spec;
  return items.length === 0 ? others : { ...others, [block]: { ...(isMapping(before) ? before : {}), [field]: items } };
}

function positionOf(items: Items, { name, one, key }: Nested, { parameters }: Pick<Write, "parameters">): number {
  const wanted = parameters[one] ?? "";
  const position = items.findIndex((known) => known[key] === wanted);
  if (position >= 0) return position;
  throw new RunwayError(
    "notFound",
    `There is no such ${one}: ${JSON.stringify(wanted)}. GET the ${name} for the list.`,
  );
}
