import { z } from "zod";
import type { JsonObject } from "../../config/json.ts";
import { RunwayError } from "../../core/failure.ts";
import type { Collection } from "../collection.ts";
import { type Operation, operation } from "../operation.ts";
import { parseJsonBody } from "../parse-body.ts";
import { shaped } from "./resources.ts";

const ROLES = ["control_plane"] as const;
const Mapping = z.record(z.string(), z.unknown());
const Collections = z.strictObject({
  data: z.array(z.strictObject({ name: z.string(), kind: z.string(), description: z.string() })),
});

/** What may be written, as JSON Schema, and whether something written is right. */
export function schemaOperations(collections: readonly Collection[]): Operation[] {
  const collectionOf = (name: string | undefined): Collection => {
    const collection = collections.find((candidate) => candidate.name === name);
    if (collection !== undefined) return collection;
    const names = collections.map((candidate) => candidate.name).join(", ");
    throw new RunwayError("notFound", `There is no collection ${JSON.stringify(name)}; there are ${names}.`);
  };
  return [
    operation({
      method: "GET",
      path: "/api/v1/schemas",
      roles: ROLES,
      summary: "The collections of resources.",
      answer: Collections,
      handle: () => ({
        json: { data: collections.map(({ name, kind, description }) => ({ name, kind, description })) },
      }),
    }),
    operation({
      method: "GET",
      path: "/api/v1/schemas/{collection}",
      roles: ROLES,
      summary: "What may be written of one of a collection, as JSON Schema.",
      answer: z.record(z.string(), z.unknown()),
      handle: ({ parameters }) => ({ json: jsonSchema(collectionOf(parameters.collection).item) }),
    }),
    operation({
      method: "POST",
      path: "/api/v1/schemas/{collection}/validate",
      roles: ROLES,
      access: "viewer",
      isRecorded: true,
      summary: "Whether the body has the shape of one of a collection; lists everything that is wrong.",
      body: { schema: Mapping },
      answer: z.strictObject({ valid: z.literal(true) }),
      handle: ({ parameters, body }) => {
        const { id = "unnamed", ...spec } = parseJsonBody(Mapping, body) as JsonObject;
        shaped(collectionOf(parameters.collection), String(id), spec);
        return { json: { valid: true } };
      },
    }),
  ];
}

/** Of what is written, before defaults are filled in. */
function jsonSchema(schema: z.ZodType): object {
  return z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
}
