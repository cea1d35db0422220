import { z } from "zod";
import type { EffectiveDelta } from "../config/delta.ts";
import { type Resource, resourceKey } from "../config/resource.ts";
import { duration } from "../config/resources/scalars.ts";
import { formatHash } from "../config/state-hash.ts";
import { acceptedOrThrow, type ConfigurationChange } from "./configuration-change.ts";
import type { FleetProgress } from "./fleet-view.ts";
import type { AdminRequest } from "./operation.ts";
import { resourceJson } from "./resource-json.ts";
import type { ResourceSources } from "./resource-sources.ts";
import { type Show, shownTo } from "./shown-to.ts";

const MAX_WAIT_MS = 60_000;

/** How a change is to be made: the query parameters of everything that writes. */
export const ChangeQuery = z.strictObject({
  dry_run: z.stringbool().default(false).describe("Only find out what would change."),
  wait: z.enum(["applied"]).optional().describe("Answer when the connected fleet has applied it."),
  timeout: duration
    .prefault("5s")
    .refine((ms) => ms <= MAX_WAIT_MS, "may be 60s at most")
    .describe("How long to wait; after that the answer says who has not applied it."),
  message: z.string().max(500).optional().describe("Why it changes, for the history."),
});
export type ChangeQuery = z.output<typeof ChangeQuery>;

/** What the desk is told of it. */
export function termsOf({ query, author }: { readonly query: ChangeQuery; readonly author: string }) {
  return { author, message: query.message ?? "", dryRun: query.dry_run };
}

/** What an answer says besides of the one resource that was changed. */
interface ChangedResource {
  readonly data?: Resource;
  readonly created?: boolean;
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * The answer to a change of resources: what it did, in full, and if asked for, who has applied it (202 when not all have).
 * @throws AdminProblem when it did not come about
 */
export async function changeAnswer(
  change: ConfigurationChange,
  { fleet, redaction }: Pick<ResourceSources, "fleet" | "redaction">,
  { query, caller }: Pick<AdminRequest<ChangeQuery>, "query" | "caller">,
  { data, created, headers = {} }: ChangedResource = {},
) {
  const show = shownTo(caller, redaction);
  const { version, hash, delta } = acceptedOrThrow(change);
  const progress =
    query.wait === undefined || query.dry_run || version === undefined
      ? undefined
      : await fleet.waitApplied(version, { timeoutMs: query.timeout });
  const status =
    progress !== undefined && progress.missing.length > 0 ? 202 : created === true && !query.dry_run ? 201 : 200;
  return {
    status,
    headers,
    json: {
      ...(data === undefined ? {} : { data: resourceJson(show(data)) }),
      version,
      hash_hex: hash === undefined ? null : formatHash(hash),
      ...(query.dry_run ? { dry_run: true } : {}),
      changes: delta === undefined ? [] : deltaJson(delta, show),
      ...(progress === undefined ? {} : { fleet: progressJson(progress) }),
    },
  };
}

/** Each change with what was there before and what is there afterwards. */
export function deltaJson({ changes, upserts, replaced }: EffectiveDelta, show: Show) {
  const [before, after] = [replaced, upserts].map(
    (resources) => new Map(resources.map((resource) => [resourceKey(resource), resourceJson(show(resource))])),
  );
  return changes.map(({ kind, id, action }) => ({
    kind,
    id,
    action,
    before: before!.get(resourceKey({ kind, id })) ?? null,
    after: after!.get(resourceKey({ kind, id })) ?? null,
  }));
}

function progressJson({ applied, missing, slowest, medianMs, p99Ms }: FleetProgress) {
  return {
    complete: missing.length === 0,
    applied,
    missing: missing.map(({ nodeId, why, detail }) => ({ node_id: nodeId, why, detail })),
    slowest: slowest === undefined ? null : { node_id: slowest.nodeId, after_ms: slowest.afterMs },
    median_ms: medianMs ?? null,
    p99_ms: p99Ms ?? null,
  };
}
