import { renderDocument } from "../../config/render-document.ts";
import { formatHash } from "../../config/state-hash.ts";
import { RunwayError } from "../../core/failure.ts";
import { HashAnswer, PushAnswer } from "../answers/change.ts";
import { ChangeQuery } from "../change-terms.ts";
import { acceptedOrThrow } from "../configuration-change.ts";
import type { ConfigurationDesk, CurrentConfiguration } from "../configuration-desk.ts";
import { entityTag, expectedVersion } from "../entity-tag.ts";
import type { FleetView } from "../fleet-view.ts";
import { type AdminRequest, type Operation, operation } from "../operation.ts";
import { changeJson } from "../reload-history.ts";
import type { ResourceSources } from "../resource-sources.ts";
import { shownTo } from "../shown-to.ts";
import { timestamp } from "../write-json.ts";

/** The configuration of a control plane: read, changed, compared. */
export function configurationOperations({ desk, fleet, redaction }: ResourceSources): Operation[] {
  return [
    operation({
      method: "GET",
      path: "/api/v1/config",
      roles: ["control_plane"],
      summary:
        "The current document, without the node's own blocks. What an administrator gets changes nothing when it is posted back.",
      answer: "application/yaml",
      handle: async ({ caller }) => {
        const current = await desk.current();
        const text = renderDocument(current.resources.map(shownTo(caller, redaction)));
        return { text, contentType: "application/yaml", headers: { etag: entityTag(current) } };
      },
    }),
    operation({
      method: "POST",
      path: "/api/v1/config",
      roles: ["control_plane"],
      isRecorded: true,
      summary: "Validates, commits, applies and sends out a document. Identical content makes no new version.",
      query: ChangeQuery,
      body: "yaml",
      isConditional: true,
      answer: PushAnswer,
      statuses: [200, 202],
      handle: (request) => push(desk, fleet, request),
    }),
    operation({
      method: "GET",
      path: "/api/v1/config/hash",
      roles: ["control_plane"],
      summary: "Version and hash of the current configuration, and where it came from.",
      answer: HashAnswer,
      handle: async () => ({ json: hashJson(await desk.current()) }),
    }),
  ];
}

async function push(desk: ConfigurationDesk, fleet: FleetView, request: AdminRequest<ChangeQuery>) {
  if (request.body.trim() === "")
    throw new RunwayError(
      "adminBadRequest",
      "The body is empty. Send the configuration as YAML: --data-binary @runway.yaml",
    );
  const { dry_run: dryRun, wait, timeout: timeoutMs, message } = request.query;
  const expected = await expectedVersion(request.headers["if-match"], desk);
  const change = acceptedOrThrow(
    await desk.push({
      yaml: request.body,
      author: request.author,
      dryRun,
      ...(message === undefined ? {} : { message }),
      ...(expected === undefined ? {} : { expectedVersion: expected }),
    }),
  );
  const json = { ...changeJson(change), ...(dryRun ? { DryRun: true } : {}) };
  if (wait === undefined || dryRun || change.version === undefined) return { json };
  const progress = await fleet.waitApplied(change.version, { timeoutMs });
  const Complete = progress.missing.length === 0;
  const { applied: Applied, missing, slowest } = progress;
  const Missing = missing.map(({ nodeId: NodeId, why: Why, detail: Detail }) => ({ NodeId, Why, Detail }));
  const Slowest = slowest === undefined ? undefined : { NodeId: slowest.nodeId, AfterMs: slowest.afterMs };
  // 202: it is committed, and not everywhere yet.
  return { status: Complete ? 200 : 202, json: { ...json, Fleet: { Complete, Applied, Missing, Slowest } } };
}

function hashJson({ version, hash, committedAtMs, source, epoch }: CurrentConfiguration) {
  return { version, hash, timestamp: timestamp(committedAtMs), source, hash_hex: formatHash(hash), epoch };
}
