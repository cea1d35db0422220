import { type ParsedDocument, parseDocument, toResources } from "./document.ts";
import { type EnvironmentSetting, nameVariables, readEnvironment } from "./environment.ts";
import { isMapping, type Json, type JsonObject } from "./json.ts";
import type { Language } from "./language.ts";
import { checkAdminAccess, checkOwnPorts } from "./node-checks.ts";
import { type NodeSettings, NodeSettingsSpec } from "./node-settings.ts";
import type { NodeOverlay } from "./overlay.ts";
import { type Checked, checked, type Problem, refused } from "./problem.ts";
import { checkForeignEntries, checkRole } from "./role-rules.ts";
import { checkShape } from "./shape.ts";
import type { Variables } from "./variables.ts";

/** Everything that a node knows when it starts: who it is, and what its file says about the gateway. */
export interface LoadedNode {
  readonly settings: NodeSettings;
  /** The node's file; an empty one when there is none. For a data plane its entries are the node's own listeners. */
  readonly document: ParsedDocument;
  /** What this node puts over the configuration it runs. */
  readonly overlay: NodeOverlay;
  /** The settings that came from the environment. */
  readonly environment: readonly EnvironmentSetting[];
}

const EMPTY_DOCUMENT: ParsedDocument = { origin: undefined, entries: [], node: {}, lineOf: () => undefined };

/**
 * Reads a node's file and environment; the environment wins. Lists every problem.
 * @param text the file's content; undefined where the environment says all.
 */
export function loadNode(
  language: Language,
  { text, file, env }: { readonly text: string | undefined; readonly file?: string; readonly env: Variables },
): Checked<LoadedNode> {
  const parsed =
    text === undefined
      ? checked(EMPTY_DOCUMENT)
      : parseDocument(language, text, { env, ...(file === undefined ? {} : { origin: file }) });
  const environment = readEnvironment(env);
  if (!parsed.ok) return refused([...parsed.problems, ...environment.problems]);
  const document = parsed.value;
  const own = ownBlocks(document, environment.settings);
  const shape = checkShape(NodeSettingsSpec, own);
  const problems = shape.ok ? checkMeaning(shape.value, document) : shape.problems;
  const all = [...environment.problems, ...nameVariables(located(problems, document), environment.settings)];
  if (!shape.ok || all.length > 0) return refused(all);
  return checked({
    settings: shape.value,
    document,
    overlay: overlayOf(shape.value, document, environment.settings),
    environment: environment.settings,
  });
}

function checkMeaning(settings: NodeSettings, { entries }: ParsedDocument): Problem[] {
  return [
    ...checkRole(settings),
    ...checkForeignEntries(settings.cluster.role, entries),
    ...checkAdminAccess(settings),
    ...checkOwnPorts(settings, entries),
  ];
}

/** The node's blocks as written, with the environment's settings over them. */
export function ownBlocks(document: ParsedDocument, settings: readonly EnvironmentSetting[]): JsonObject {
  const written: JsonObject = {
    ...document.node,
    ...(isEmpty(loggingOf(document)) ? {} : { logging: loggingOf(document) }),
  };
  return settings.reduce<JsonObject>((blocks, { steps, value }) => withValue(blocks, steps, value), written);
}

function withValue(blocks: Json | undefined, steps: readonly string[], value: Json): JsonObject {
  const [key, ...rest] = steps;
  const base = isMapping(blocks) ? blocks : {};
  return { ...base, [key!]: rest.length === 0 ? value : withValue(base[key!], rest, value) };
}

function loggingOf({ entries }: ParsedDocument): JsonObject {
  return entries.find(({ kind, id }) => kind === "settings" && id === "logging")?.spec ?? {};
}

function overlayOf(
  settings: NodeSettings,
  document: ParsedDocument,
  environment: readonly EnvironmentSetting[],
): NodeOverlay {
  const override = environment.filter(({ steps }) => steps[0] === "logging");
  const loggingOverride = Object.fromEntries(override.map(({ steps, value }) => [steps.slice(1).join("."), value]));
  if (settings.cluster.role !== "data_plane") return { listeners: [], logging: {}, loggingOverride };
  const listeners = toResources(document).filter(({ kind }) => kind === "listener");
  return { listeners, logging: loggingOf(document), loggingOverride };
}

function located(problems: readonly Problem[], { lineOf }: ParsedDocument): Problem[] {
  return problems.map((problem) => {
    const line = lineOf(problem.path);
    return line === undefined ? problem : { ...problem, line };
  });
}

function isEmpty(value: JsonObject): boolean {
  return Object.keys(value).length === 0;
}
