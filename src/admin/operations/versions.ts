import { z } from "zod";
import { deltaBetween } from "../../config/delta.ts";
import type { Redaction } from "../../config/redaction.ts";
import { renderDocument } from "../../config/render-document.ts";
import type { Revision, RevisionLog, RevisionSummary } from "../../config/revision-log.ts";
import { formatHash } from "../../config/state-hash.ts";
import { RunwayError } from "../../core/failure.ts";
import { ChangeAnswer } from "../answers/change.ts";
import { DifferenceAnswer, VersionAnswer, VersionsAnswer } from "../answers/history.ts";
import { ChangeQuery, changeAnswer, deltaJson, termsOf } from "../change-terms.ts";
import { expectedVersion } from "../entity-tag.ts";
import { type Operation, operation } from "../operation.ts";
import { parseJsonBody } from "../parse-body.ts";
import type { ResourceSources } from "../resource-sources.ts";
import { shownTo } from "../shown-to.ts";
import { timestamp } from "../write-json.ts";

const ROLES = ["control_plane"] as const;
const HistoryQuery = z.strictObject({
  size: z.coerce.number().int().min(1).max(1_000).default(50).describe("How many at most."),
  before: z.coerce.number().int().min(1).optional().describe("Only versions below this one."),
});
const Rollback = z.strictObject({ version: z.int().min(1).describe("The version whose content is to come back.") });

type Log = Pick<RevisionLog, "get" | "delta" | "history">;

/** The history of a control plane: who changed what, when and why; what differs between versions; the way back. */
export function versionOperations(log: Log, sources: ResourceSources): Operation[] {
  return [...historyOperations(log, sources.redaction), rollbackOperation(log, sources)];
}

function historyOperations(log: Log, redaction: Redaction): Operation[] {
  return [
    operation({
      method: "GET",
      path: "/api/v1/versions",
      roles: ROLES,
      summary: "The versions that are kept, newest first.",
      query: HistoryQuery,
      answer: VersionsAnswer,
      handle: async ({ query: { size, before } }) => {
        const versions = await log.history({ limit: size, ...(before === undefined ? {} : { before }) });
        const last = versions.at(-1)?.version;
        const next = versions.length < size || last === 1 ? null : `/api/v1/versions?size=${size}&before=${last}`;
        return { json: { data: versions.map(summaryJson), next } };
      },
    }),
    operation({
      method: "GET",
      path: "/api/v1/versions/{version}",
      roles: ROLES,
      summary: "One version: who made it, when and why, and its document.",
      answer: VersionAnswer,
      handle: async ({ parameters, caller }) => {
        const revision = await versionOf(log, parameters.version);
        const yaml = renderDocument(revision.resources.map(shownTo(caller, redaction)));
        return { json: { ...summaryJson(revision), yaml } };
      },
    }),
    operation({
      method: "GET",
      path: "/api/v1/versions/{version}/diff/{other}",
      roles: ROLES,
      summary:
        "What turns one version into another, forwards or backwards, with contents. 0 is the state without resources.",
      answer: DifferenceAnswer,
      handle: async ({ parameters: { version, other }, caller }) => {
        const [from, to] = [numberOf(version), numberOf(other)];
        const delta = await log.delta(from, to);
        if (delta === undefined) throw notKept(`${version} or ${other}`);
        return { json: { from, to, changes: deltaJson(delta, shownTo(caller, redaction)) } };
      },
    }),
  ];
}

function rollbackOperation(log: Log, sources: ResourceSources): Operation {
  return operation({
    method: "POST",
    path: "/api/v1/rollback",
    roles: ROLES,
    isRecorded: true,
    summary: "Makes a new version with the content of an old one.",
    query: ChangeQuery,
    body: { schema: Rollback, example: { version: 41 } },
    isConditional: true,
    answer: ChangeAnswer,
    statuses: [200, 202],
    handle: async (request) => {
      const { version } = parseJsonBody(Rollback, request.body);
      const { resources } = await versionOf(log, String(version));
      const expected = await expectedVersion(request.headers["if-match"], sources.desk);
      const terms = termsOf(request);
      const change = await sources.desk.edit((head) => deltaBetween(head.resources, resources), {
        ...terms,
        message: terms.message === "" ? `back to version ${version}` : terms.message,
        ...(expected === undefined ? {} : { expectedVersion: expected }),
      });
      return changeAnswer(change, sources, request);
    },
  });
}

async function versionOf(log: Log, text: string | undefined): Promise<Revision> {
  const revision = await log.get(numberOf(text));
  if (revision === undefined) throw notKept(text);
  return revision;
}

function numberOf(text: string | undefined): number {
  if (text !== undefined && /^\d{1,15}$/.test(text)) return Number(text);
  throw new RunwayError("adminBadRequest", `${JSON.stringify(text)} is not the number of a version.`);
}

function notKept(version: string | undefined): RunwayError {
  return new RunwayError("notFound", `Version ${version} is not kept. GET /api/v1/versions lists those that are.`);
}

function summaryJson({ version, epoch, hash, author, source, message, committedAt }: RevisionSummary) {
  return { version, epoch, hash_hex: formatHash(hash), author, source, message, committed_at: timestamp(committedAt) };
}
