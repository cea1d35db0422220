import { z } from "zod";
import { isMapping, type JsonObject } from "../../config/json.ts";
import type { Language } from "../../config/language.ts";
import { RunwayError } from "../../core/failure.ts";
import type { ChangeQuery } from "../change-terms.ts";
import type { Collection } from "../collection.ts";
import { mergePatch } from "../merge-patch.ts";
import { type AdminRequest, type Operation, operation } from "../operation.ts";
import { parseJsonBody } from "../parse-body.ts";
import { resourceTag } from "../resource-json.ts";
import type { ResourceSources } from "../resource-sources.ts";
import { shownTo } from "../shown-to.ts";
import { changePart, PART_CHANGE } from "./change-part.ts";
import { found } from "./resources.ts";

const ROLES = ["control_plane"] as const;
const Mapping = z.record(z.string(), z.unknown());
const Block = z.looseObject({});

/** What a consumer says who it is with, one credential for each plugin that knows it, under addresses of their own. */
export function credentialOperations(
  collection: Collection,
  language: Language,
  sources: ResourceSources,
): Operation[] {
  if (collection.kind !== "consumer") return [];
  return [...readOperations(collection, language, sources), ...writeOperations(collection, language, sources)];
}

const pathOf = ({ name }: Collection) => `/api/v1/${name}/{id}/credentials`;

function readOperations(collection: Collection, language: Language, sources: ResourceSources): Operation[] {
  const path = pathOf(collection);
  const held = async ({ parameters: { id = "" }, caller }: Pick<AdminRequest<unknown>, "parameters" | "caller">) => {
    const consumer = found(collection, await sources.desk.head(), id);
    return { spec: shownTo(caller, sources.redaction)(consumer).spec, headers: { etag: resourceTag(consumer) } };
  };
  return [
    operation({
      ...{ method: "GET", path, roles: ROLES },
      summary: "What a consumer says who it is with. Hashes are for administrators.",
      answer: z.strictObject({ data: z.array(z.strictObject({ plugin: z.string(), credential: Block })) }),
      handle: async (request) => {
        const { spec, headers } = await held(request);
        const names = Object.keys(spec).filter((name) => language.hasCredentials(name));
        return { json: { data: names.map((plugin) => ({ plugin, credential: spec[plugin] })) }, headers };
      },
    }),
    operation({
      ...{ method: "GET", path: `${path}/{plugin}`, roles: ROLES, answer: Block },
      summary: "What a consumer has for one plugin.",
      handle: async (request) => {
        const { spec, headers } = await held(request);
        return { json: credentialIn(spec, request), headers };
      },
    }),
  ];
}

function writeOperations(collection: Collection, language: Language, sources: ResourceSources): Operation[] {
  const path = `${pathOf(collection)}/{plugin}`;
  const schemas = language.plugins.flatMap(({ credentials }) =>
    credentials === undefined ? [] : [credentials.config],
  );
  const change = (request: AdminRequest<ChangeQuery>, edit: (spec: JsonObject) => JsonObject) => {
    const plugin = knownPlugin(language, request);
    return changePart(collection, sources, request, (spec) => ({ ...spec, [plugin]: edit(spec) }));
  };
  return [
    operation({
      ...{ ...PART_CHANGE, method: "PUT", path },
      summary: "Makes what a consumer has for one plugin be what the body says, whether there was something or not.",
      body: { schema: z.union([...schemas, Block]) },
      handle: (request) => change(request, () => sentBy(request)),
    }),
    operation({
      ...{ ...PART_CHANGE, method: "PATCH", path },
      summary: "Changes what the body names of what a consumer has for one plugin (JSON merge patch, RFC 7396).",
      body: { schema: Mapping },
      handle: (request) => change(request, (spec) => mergePatch(credentialIn(spec, request), sentBy(request))),
    }),
    operation({
      ...{ ...PART_CHANGE, method: "DELETE", path },
      summary: "Removes what a consumer has for one plugin.",
      handle: (request) =>
        changePart(collection, sources, request, (spec) => {
          credentialIn(spec, request);
          return Object.fromEntries(Object.entries(spec).filter(([name]) => name !== request.parameters.plugin));
        }),
    }),
  ];
}

type Named = Pick<AdminRequest<unknown>, "parameters">;

function knownPlugin(language: Language, { parameters: { plugin = "" } }: Named): string {
  if (language.hasCredentials(plugin)) return plugin;
  const names = language.plugins.filter(({ name }) => language.hasCredentials(name)).map(({ name }) => name);
  const message = `Consumers have no credentials for ${JSON.stringify(plugin)}; they may for ${names.join(", ")}.`;
  throw new RunwayError("notFound", message);
}

function credentialIn(spec: JsonObject, { parameters: { id = "", plugin = "" } }: Named): JsonObject {
  const credential = Object.hasOwn(spec, plugin) ? spec[plugin] : undefined;
  if (isMapping(credential)) return credential;
  throw new RunwayError(
    "notFound",
    `The consumer ${JSON.stringify(id)} has no credential for ${JSON.stringify(plugin)}.`,
  );
}

function sentBy({ body }: Pick<AdminRequest<unknown>, "body">): JsonObject {
  return parseJsonBody(Mapping, body) as JsonObject;
}
