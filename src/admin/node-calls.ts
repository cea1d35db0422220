import { z } from "zod";
import type { JsonObject } from "../config/json.ts";
import { isMapping, type Json } from "../config/json.ts";
import type { Role } from "../config/node-settings.ts";
import { isSecretReference } from "../config/secret-reference.ts";
import { formatHash } from "../config/state-hash.ts";
import { DURATION_PATTERN, parseDuration } from "../core/duration.ts";
import { RunwayError } from "../core/failure.ts";
import { CountersAnswer, ExplanationAnswer } from "./answers/gateway.ts";
import { DrainAnswer } from "./answers/health.ts";
import { AboutAnswer, LogLevelAnswer, RenewAnswer, ResyncAnswer, RunningAnswer } from "./answers/node.ts";
import { LOG_LEVELS, type LogLevelControl, type NodeControl, type RunningConfiguration } from "./node-control.ts";
import { EVERY_ROLE, type Operation } from "./operation.ts";
import { DrainQuery, drainJson } from "./operations/drain.ts";
import { explanationJson, MatchQuery, statsJson } from "./operations/gateway.ts";
import { resourceJson } from "./resource-json.ts";
import { timestamp } from "./write-json.ts";

/**
 * Something that can be asked of a node. The one table of them is read four times: by the node's own admin API, by the control
 * plane's for each of its nodes, by the node for calls over the wire, and by the command line's tests of itself. Parameters are
 * text, as in a query, so that they are the same on every way; the node reads them.
 */
export interface NodeCall {
  /** Of the remote method, after NODE_PREFIX. */
  readonly name: string;
  readonly method: Operation["method"];
  /** At the control plane below `/api/v1/data-planes/{id}`. */
  readonly path: string;
  /** Roles in which the node itself has an endpoint of that path for it. */
  readonly ownRoles: readonly Role[];
  readonly summary: string;
  readonly params: z.ZodObject;
  readonly result: z.ZodType;
  /** @throws RunwayError */
  answer(node: NodeControl, params: unknown): JsonObject;
}

export const NODE_PREFIX = "runway.node.v1.";

const MAX_SHOWN = 100;
const MAX_OVERRIDE_MS = 86_400_000;

const durationText = z.string().regex(DURATION_PATTERN, "must be a duration such as 30s");
const overrideTime = durationText.refine(
  (text) => parseDuration(text)! > 0 && parseDuration(text)! <= MAX_OVERRIDE_MS,
  "must be more than nothing and at most 24h",
);

export const NODE_CALLS: readonly NodeCall[] = [
  nodeCall({
    result: AboutAnswer,
    ...{ name: "about", method: "GET", path: "/about", ownRoles: EVERY_ROLE, params: z.strictObject({}) },
    summary: "The node's name, program and plugins.",
    answer: (node) => node.about(),
  }),
  nodeCall({
    result: DrainAnswer,
    ...{ name: "drain", method: "POST", path: "/drain", ownRoles: [], params: DrainQuery },
    summary:
      "Begins to drain: /ready answers 503, connections end politely, and after a delay no new ones are accepted.",
    answer(node, { delay }) {
      node.gateway.drain(delay === undefined ? undefined : parseDuration(delay));
      return drainJson(node.gateway, node.now());
    },
  }),
  nodeCall({
    result: DrainAnswer,
    ...{ name: "undrain", method: "DELETE", path: "/drain", ownRoles: [], params: z.strictObject({}) },
    summary: "Ends draining: the node takes connections and wants traffic again.",
    answer(node) {
      node.gateway.undrain();
      return drainJson(node.gateway, node.now());
    },
  }),
  nodeCall({
    result: LogLevelAnswer,
    ...{ name: "log_level", method: "GET", path: "/log-level", ownRoles: EVERY_ROLE, params: z.strictObject({}) },
    summary: "The least important lines that the node writes, and until when.",
    answer: ({ logLevel }) => logLevelJson(logLevel),
  }),
  nodeCall({
    result: LogLevelAnswer,
    ...{ name: "set_log_level", method: "PUT", path: "/log-level", ownRoles: EVERY_ROLE },
    summary: "Writes more or fewer lines for a while; then it is as configured again.",
    params: z.strictObject({
      level: z.enum(LOG_LEVELS).describe("The least important lines that are written."),
      for: overrideTime.default("15m").describe("How long; at most 24h."),
    }),
    answer({ logLevel }, params) {
      logLevel.set(params.level, parseDuration(params.for)!);
      return logLevelJson(logLevel);
    },
  }),
  nodeCall({
    result: LogLevelAnswer,
    ...{ name: "reset_log_level", method: "DELETE", path: "/log-level", ownRoles: EVERY_ROLE },
    params: z.strictObject({}),
    summary: "Writes the lines that are configured again.",
    answer({ logLevel }) {
      logLevel.reset();
      return logLevelJson(logLevel);
    },
  }),
  nodeCall({
    result: ResyncAnswer,
    ...{ name: "resync", method: "POST", path: "/resync", ownRoles: ["data_plane"], params: z.strictObject({}) },
    summary:
      "Has the control plane send everything anew, and verifies and applies it, whatever the node believes to run.",
    answer({ resync }) {
      if (resync === undefined)
        throw new RunwayError("notFound", "No control plane gives this node its configuration.");
      resync();
      return { status: "resyncing" };
    },
  }),
  nodeCall({
    result: RenewAnswer,
    ...{ name: "renew", method: "POST", path: "/renew", ownRoles: ["data_plane"], params: z.strictObject({}) },
    summary:
      "Has the node's certificate renewed soon, where the node sees to that by itself (cluster.data_plane.tls.renew).",
    answer({ renew }) {
      if (renew === undefined)
        throw new RunwayError(
          "notFound",
          "This node does not renew its certificate by itself; set cluster.data_plane.tls.renew.",
        );
      renew();
      return { status: "renewing" };
    },
  }),
  nodeCall({
    result: CountersAnswer,
    ...{ name: "counters", method: "GET", path: "/counters", ownRoles: EVERY_ROLE, params: z.strictObject({}) },
    summary: "Connections, requests and workers at this moment.",
    answer(node) {
      const { uptimeSeconds: uptime_seconds, memoryBytes: memory_bytes } = node.process();
      return plain({ ...statsJson(node.gateway), uptime_seconds, memory_bytes });
    },
  }),
  nodeCall({
    result: RunningAnswer,
    ...{
      name: "configuration",
      method: "GET",
      path: "/configuration",
      ownRoles: EVERY_ROLE,
      params: z.strictObject({
        kind: z.string().optional().describe("Of resources to be shown, at most 100 of them, without their secrets."),
        id: z.string().optional().describe("Of the one to be shown."),
      }),
    },
    summary:
      "What the node runs, its own listeners and logging included: version, hash, how many of each kind, and the secrets that it refers to.",
    answer: (node, wanted) => configurationJson(node.running(), wanted),
  }),
  nodeCall({
    result: ExplanationAnswer,
    ...{ name: "explain", method: "GET", path: "/explain", ownRoles: [], params: MatchQuery },
    summary: "Which route of the node answers a request, and by what the others lose.",
    answer: ({ gateway }, { method, url, header }) =>
      plain(explanationJson(gateway.explainRoute({ method, url, headers: [header].flat() }))),
  }),
];

function nodeCall<Params extends z.ZodObject>(
  definition: Omit<NodeCall, "params" | "answer"> & {
    readonly params: Params;
    answer(node: NodeControl, params: z.output<Params>): JsonObject;
  },
): NodeCall {
  // Whoever calls `answer` has parsed the parameters with the call's own schema.
  return definition as unknown as NodeCall;
}

function logLevelJson({ configured, override }: LogLevelControl): JsonObject {
  const until = override === undefined ? null : timestamp(override.untilMs);
  return { level: override?.level ?? configured, configured, until };
}

type Wanted = { readonly kind?: string | undefined; readonly id?: string | undefined };

function configurationJson({ version, resources, redact }: RunningConfiguration, wanted: Wanted): JsonObject {
  const data = resources.filter(({ kind, id }) => kind === wanted.kind && (wanted.id ?? id) === id);
  const kinds = Object.entries(Object.groupBy(resources, ({ kind }) => kind));
  return {
    epoch: version?.epoch ?? null,
    version: version?.number ?? null,
    hash_hex: version === undefined ? null : formatHash(version.hash),
    resources: Object.fromEntries(kinds.map(([kind, members]) => [kind, members!.length])),
    ...(wanted.kind === undefined
      ? {}
      : { data: data.slice(0, MAX_SHOWN).map(redact).map(resourceJson), data_total: data.length }),
    secret_references: resources.flatMap(({ kind, id, spec }) =>
      [...new Set(referencesIn(spec))].map((reference) => ({ kind, id, reference })),
    ),
  };
}

function referencesIn(value: Json): string[] {
  if (typeof value === "string") return isSecretReference(value) ? [value] : [];
  if (Array.isArray(value)) return value.flatMap(referencesIn);
  return isMapping(value) ? Object.values(value).flatMap(referencesIn) : [];
}

/** As it travels: without what is undefined. */
function plain(value: object): JsonObject {
  return JSON.parse(JSON.stringify(value)) as JsonObject;
}
