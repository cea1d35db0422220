/** Writes the index of docs, docs/reference, and the options in the README of each plugin, from what the code declares. `--check` writes nothing and fails when a page is stale. */
import { globSync, readFileSync, writeFileSync } from "node:fs";
import { z } from "zod";
import { Language } from "../src/config/language.ts";
import { NODE_SCHEMA } from "../src/config/node-settings.ts";
import { itemSchema } from "../src/config/section.ts";
import { FAILURES } from "../src/core/failure.ts";
import type { MetricTable } from "../src/core/ports.ts";
import { PLUGINS } from "../src/plugins/index.ts";
import { PROXY_METRICS } from "../src/proxy/metrics.ts";
import { UPSTREAM_METRICS } from "../src/proxy/upstream/upstream-metrics.ts";
import { STORE_METRICS } from "../src/store/metrics.ts";
import { FLEET_METRICS, SYNC_METRICS } from "../src/sync/metrics.ts";

const GENERATED = "<!-- Written by `npm run docs` from the code. Do not edit. -->\n\n";

function errorsPage(): string {
  const rows = Object.values(FAILURES).map(
    ({ code, status, fault, retryable, message }) =>
      `| \`${code}\` | ${status} | ${fault} | ${retryable ? "yes" : "no"} | ${message} |`,
  );
  return `# Failures

${GENERATED}Every failure has a code that never changes its meaning. *Fault* says who has to act; *again* whether the same request may be tried again.

| code | status | fault | again | what a client is told |
|---|---|---|---|---|
${rows.join("\n")}
`;
}

/** The parts of a JSON Schema that a table shows. */
interface Schema {
  readonly type?: string;
  readonly description?: string;
  /** The version that it came with, where that was not the first. */
  readonly since?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly additionalProperties?: Schema | false;
  readonly required?: readonly string[];
}

function* rows(schema: Schema, path: string): Generator<string> {
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    const at = path === "" ? name : `${path}.${name}`;
    const inner = property.items?.properties !== undefined ? property.items : property;
    const list = property.type === "array" ? "[]" : "";
    if (inner.properties === undefined) yield row(at, property, schema.required?.includes(name) === true);
    else {
      if (property.description !== undefined) yield row(`${at}${list}`, property, false);
      yield* rows(inner, `${at}${list}`);
    }
  }
}

function row(path: string, schema: Schema, required: boolean): string {
  const fallback = schema.default;
  const hasDefault = fallback !== undefined && !(typeof fallback === "object" && JSON.stringify(fallback) === "{}");
  const shown = hasDefault ? `\`${JSON.stringify(fallback)}\`` : required ? "required" : "";
  const since = schema.since === undefined ? "" : ` Since ${schema.since}.`;
  return `| \`${path}\` | ${kindOf(schema)} | ${shown} | ${(schema.description ?? "").replaceAll("|", "\\|")}${since} |`;
}

function kindOf(schema: Schema): string {
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${value}\``).join(" ");
  if (schema.anyOf !== undefined) return [...new Set(schema.anyOf.map(kindOf))].join(" or ");
  if (schema.type === "array") return `list of ${schema.items === undefined ? "values" : kindOf(schema.items)}`;
  return schema.type ?? "";
}

function section(title: string, text: string, schema: z.ZodType, path: string): string {
  return `## ${title}\n\n${text}\n\n${optionsTable(schema, path)}\n`;
}

function optionsTable(schema: z.ZodType, path: string): string {
  const json = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as Schema;
  return `| setting | kind | default | what it does |\n|---|---|---|---|\n${[...rows(json, path)].join("\n")}`;
}

const language = new Language(PLUGINS);

function configurationPage(): string {
  const parts = [
    ...language.sections.map((held) =>
      held.form === "list"
        ? section(held.key, `A list. ${held.description}`, itemSchema(held), `${held.key}[]`)
        : section(held.key, `By name. ${held.description}`, held.spec, `${held.key}.NAME`),
    ),
    ...Object.entries(language.settings).map(([name, schema]) =>
      section(name, "A setting of the whole gateway.", schema, name),
    ),
    section(
      "cluster, admin, workers",
      "Settings of one node. They stay on the node, are never sent to others, and can also come from the environment: `RUNWAY_CLUSTER_ROLE`, `RUNWAY_ADMIN_PORT`.",
      NODE_SCHEMA,
      "",
    ),
  ];
  return `# Configuration

${GENERATED}One YAML document. Unknown keys are errors. \`\${NAME}\` is replaced while the document is read; \`\${env:NAME}\` and
\`\${file:PATH}\` are secret references, which travel as they are and are resolved on the node that uses them. Durations are written
\`500ms\`, \`30s\`, \`1h30m\`.

${parts.join("\n")}`;
}

function metricsPage(): string {
  const table = (title: string, metrics: MetricTable) =>
    `## ${title}\n\n| metric | type | labels | what it says |\n|---|---|---|---|\n${Object.values(metrics)
      .map(({ type, name, labels = [], help }) => `| \`${name}\` | ${type} | ${labels.join(", ")} | ${help} |`)
      .join("\n")}\n`;
  const parts = [
    table("The proxy", PROXY_METRICS),
    table("Targets", UPSTREAM_METRICS),
    table("A data plane and its control plane", SYNC_METRICS),
    table("A control plane and its fleet", FLEET_METRICS),
    table("A control plane and its store", STORE_METRICS),
  ];
  return `# Metrics

${GENERATED}\`GET /metrics\` of the admin API, in the Prometheus text format, in every role; besides these the usual \`process_*\` and \`nodejs_*\` of the main
thread. Each route is counted on its own and the first 10,000 that were asked for are shown by name; what is zero is left out.

${parts.join("\n")}`;
}

/** What a person wrote about the plugin, with the table of its options between the two marks. */
function pluginPage({ name, config }: (typeof PLUGINS)[number]): string {
  const page = readFileSync(new URL(`../src/plugins/${name}/README.md`, import.meta.url), "utf8");
  const marks = /<!-- options -->.*<!-- \/options -->/s;
  if (!marks.test(page)) throw new Error(`src/plugins/${name}/README.md has no place for the options`);
  return page.replace(marks, () => `<!-- options -->\n${optionsTable(config, "")}\n<!-- /options -->`);
}

/** Every page that is there, by its own heading. */
function indexPage(): string {
  const root = new URL("..", import.meta.url).pathname;
  const listed = (pattern: string) =>
    globSync(pattern, { cwd: root })
      .sort()
      .map((path) => `- [${headingOf(`${root}/${path}`)}](${path.startsWith("docs/") ? path.slice(5) : `../${path}`})`)
      .join("\n");
  return `# Documentation

${GENERATED}Begin with the [README](../README.md); [ARCHITECTURE.md](../ARCHITECTURE.md) says how the house is built, and [CONTRIBUTING.md](../CONTRIBUTING.md) how to work on it.

## Guides

${listed("docs/guides/*.md")}

## In operation

${listed("deploy/*.md")}

## Reference

${listed("docs/reference/*.md")}
- The admin API: \`/docs\` and \`/openapi.json\` of every node
- The command line: \`runway --help\`, and \`--help\` of each command

## Plugins of the house

${listed("src/plugins/*/README.md")}

## What is shown, and how fast it is

${listed("docs/[!R]*.md")}
${listed("bench/README.md")}

## Decisions

${listed("docs/decisions/*.md")}
`;
}

function headingOf(path: string): string {
  const [, heading] = /^# (.+)$/m.exec(readFileSync(path, "utf8")) ?? [];
  if (heading === undefined) throw new Error(`${path} has no heading`);
  return heading;
}

const pages: Record<string, string> = {
  "docs/README.md": indexPage(),
  "docs/reference/errors.md": errorsPage(),
  "docs/reference/configuration.md": configurationPage(),
  "docs/reference/metrics.md": metricsPage(),
  ...Object.fromEntries(PLUGINS.map((plugin) => [`src/plugins/${plugin.name}/README.md`, pluginPage(plugin)])),
};
for (const [name, text] of Object.entries(pages)) {
  const path = new URL(`../${name}`, import.meta.url);
  if (!process.argv.includes("--check")) writeFileSync(path, text);
  else if (readFileSync(path, "utf8") !== text) {
    console.error(`${name} is stale: run \`npm run docs\``);
    process.exitCode = 1;
  }
}
