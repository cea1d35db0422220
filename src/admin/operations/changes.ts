import { z } from "zod";
import type { Delta } from "../../config/delta.ts";
import type { JsonObject } from "../../config/json.ts";
import type { Resource, ResourceRef } from "../../config/resource.ts";
import { RunwayError } from "../../core/failure.ts";
import { ChangeAnswer } from "../answers/change.ts";
import { ChangeQuery, changeAnswer, termsOf } from "../change-terms.ts";
import type { Collection } from "../collection.ts";
import { expectedVersion } from "../entity-tag.ts";
import { type Operation, operation } from "../operation.ts";
import { parseJsonBody } from "../parse-body.ts";
import { AdminProblem } from "../problem-document.ts";
import type { ResourceSources } from "../resource-sources.ts";
import { shaped } from "./resources.ts";

const MAX_CHANGES = 10_000;
const kind = z.string().describe("The kind of the resource: route, upstream, listener, settings …");
const id = z.string().describe("Its id; of settings the name of the block.");

const ChangeSet = z.strictObject({
  upserts: z
    .array(z.strictObject({ kind, id, spec: z.record(z.string(), z.unknown()).describe("All that is written of it.") }))
    .max(MAX_CHANGES)
    .default([])
    .describe("Resources that are there afterwards, as they are given."),
  removals: z
    .array(z.strictObject({ kind, id }))
    .max(MAX_CHANGES)
    .default([])
    .describe("Resources that are not there afterwards."),
});

const EXAMPLE = {
  upserts: [
    { kind: "upstream", id: "orders", spec: { backends: [{ url: "http://orders:8080" }] } },
    { kind: "route", id: "orders", spec: { path: "/orders", path_prefix: true, upstream: "orders" } },
  ],
  removals: [{ kind: "route", id: "old-orders" }],
};

/** Many changes of any kind as one: all of them are made, in one version, or none is. */
export function changeOperations(collections: readonly Collection[], sources: ResourceSources): Operation[] {
  return [
    operation({
      method: "POST",
      path: "/api/v1/changes",
      roles: ["control_plane"],
      isRecorded: true,
      summary: "Changes many resources at once: all in one version, or none of them.",
      query: ChangeQuery,
      body: { schema: ChangeSet, example: EXAMPLE },
      isConditional: true,
      answer: ChangeAnswer,
      statuses: [200, 202],
      handle: async (request) => {
        const delta = readDelta(collections, parseJsonBody(ChangeSet, request.body));
        const expected = await expectedVersion(request.headers["if-match"], sources.desk);
        const terms = { ...termsOf(request), ...(expected === undefined ? {} : { expectedVersion: expected }) };
        const edit = ({ resources }: { readonly resources: readonly Resource[] }) => {
          requireAll(resources, delta.removals);
          return delta;
        };
        return changeAnswer(await sources.desk.edit(edit, terms), sources, request);
      },
    }),
  ];
}

/** @throws AdminProblem that lists what is wrong with the shape of any */
function readDelta(collections: readonly Collection[], { upserts, removals }: z.output<typeof ChangeSet>): Delta {
  const read: Resource[] = [];
  const problems = [];
  for (const { kind, id, spec } of upserts) {
    try {
      read.push(shaped(collectionOf(collections, { kind, id }), id, spec as JsonObject));
    } catch (error) {
      if (!(error instanceof AdminProblem)) throw error;
      problems.push(...error.problems);
    }
  }
  if (problems.length > 0)
    throw new AdminProblem("configurationInvalid", "Nothing has changed. Every problem is listed.", problems);
  const named = [...upserts, ...removals].map((ref) => `${ref.kind}:${ref.id}`);
  const twice = named.find((key, position) => named.indexOf(key) !== position);
  if (twice !== undefined) throw new RunwayError("adminBadRequest", `${twice} is named twice; each may change once.`);
  return { upserts: read, removals };
}

function collectionOf(collections: readonly Collection[], ref: ResourceRef): Collection {
  const collection = collections.find(
    (candidate) => candidate.kind === ref.kind && candidate.schemaOf(ref.id) !== undefined,
  );
  if (collection !== undefined) return collection;
  const message = `there is no kind ${ref.kind}, or no ${ref.kind} can be called ${JSON.stringify(ref.id)}`;
  throw new AdminProblem("configurationInvalid", "Nothing has changed.", [{ path: "", message, ...ref }]);
}

function requireAll(resources: readonly Resource[], removals: readonly ResourceRef[]): void {
  if (removals.length === 0) return;
  const there = new Set(resources.map((resource) => `${resource.kind}:${resource.id}`));
  const problems = removals
    .filter((removal) => !there.has(`${removal.kind}:${removal.id}`))
    .map((removal) => ({ path: "", message: "there is none to remove", ...removal }));
  if (problems.length > 0) throw new AdminProblem("notFound", "Nothing has changed.", problems);
}
