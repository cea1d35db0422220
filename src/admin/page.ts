import { z } from "zod";
import type { Resource } from "../config/resource.ts";
import { RunwayError } from "../core/failure.ts";
import { resourceJson } from "./resource-json.ts";
import type { Show } from "./shown-to.ts";
import { tagFilter } from "./tag-filter.ts";

export const PageQuery = z.strictObject({
  size: z.coerce.number().int().min(1).max(1_000).default(100).describe("How many at most."),
  offset: z.string().max(512).optional().describe("Where to go on, as the page before said."),
  tags: z.string().max(1_024).optional().describe("Only resources with these tags: a,b for both, a/b for either."),
});

export function pageShape(resource: z.ZodType): z.ZodType {
  return z.strictObject({
    data: z.array(resource),
    offset: z.string().nullable().describe("Where to go on; null on the last page."),
    next: z.string().nullable().describe("The path of the next page."),
  });
}

/** A page of resources, which are in the order of their ids, and where the next one begins. Stable while others come and go. */
export function pageOf(path: string, resources: readonly Resource[], query: z.output<typeof PageQuery>, show: Show) {
  const after = query.offset === undefined ? undefined : decode(query.offset);
  const wanted = resources.filter(tagFilter(query.tags));
  const rest = after === undefined ? wanted : wanted.filter(({ id }) => id > after);
  const data = rest.slice(0, query.size);
  const offset = rest.length > data.length ? encode(data.at(-1)!.id) : null;
  return {
    data: data.map((resource) => resourceJson(show(resource))),
    offset,
    next: offset === null ? null : nextUrl(path, query, offset),
  };
}

/** Keeps what was asked for, so that following it to the end shows all of it. */
function nextUrl(path: string, { size, tags }: z.output<typeof PageQuery>, offset: string): string {
  const query = new URLSearchParams({ size: String(size), ...(tags === undefined ? {} : { tags }), offset });
  return `${path}?${query}`;
}

function encode(id: string): string {
  return Buffer.from(id).toString("base64url");
}

function decode(offset: string): string {
  const id = Buffer.from(offset, "base64url").toString();
  if (encode(id) === offset) return id;
  throw new RunwayError("adminBadRequest", "offset is not one that a page has given.");
}
