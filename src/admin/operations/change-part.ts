import type { JsonObject } from "../../config/json.ts";
import type { Snapshot } from "../../config/snapshot.ts";
import { ChangeAnswer } from "../answers/change.ts";
import { ChangeQuery, changeAnswer, termsOf } from "../change-terms.ts";
import type { Collection } from "../collection.ts";
import type { AdminRequest } from "../operation.ts";
import type { ResourceSources } from "../resource-sources.ts";
import { found, requireMatch, shaped } from "./resources.ts";

/** What operations have in common that change a part of a resource under an address of its own. */
export const PART_CHANGE = {
  roles: ["control_plane"],
  isRecorded: true,
  isConditional: true,
  query: ChangeQuery,
  answer: ChangeAnswer,
  statuses: [200, 202],
} as const;

/** Changes the resource that the path names. `If-Match` is about the resource as a whole. */
export async function changePart(
  collection: Collection,
  sources: ResourceSources,
  request: AdminRequest<ChangeQuery>,
  edit: (spec: JsonObject) => JsonObject,
) {
  const make = (head: Snapshot) => {
    const resource = found(collection, head, request.parameters.id ?? "");
    requireMatch(request, resource);
    return { upserts: [shaped(collection, resource.id, edit(resource.spec))], removals: [] };
  };
  return changeAnswer(await sources.desk.edit(make, termsOf(request)), sources, request);
}
