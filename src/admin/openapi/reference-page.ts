import type { DescribedOperation, OpenApiDocument } from "./openapi-document.ts";
import type { JsonSchema } from "./schema-book.ts";

export const STYLE = `
:root { color-scheme: light dark; --line: light-dark(#d8dee6, #39424e); --soft: light-dark(#f5f7f9, #1b2128); --quiet: light-dark(#56616f, #9aa7b6); --link: light-dark(#0b5fb0, #7db8f5); }
* { box-sizing: border-box; }
body { margin: 0; font: 15px/1.55 system-ui, sans-serif; display: grid; grid-template-columns: 15rem minmax(0, 60rem); gap: 2rem; padding: 0 1.5rem 4rem; }
nav { position: sticky; top: 0; align-self: start; max-height: 100vh; overflow: auto; padding: 1.2rem 0; }
nav ul { list-style: none; padding: 0; margin: 0; } nav li { padding: .1rem 0; }
a { color: var(--link); text-decoration: none; } a:hover { text-decoration: underline; }
h2 { margin: 2.5rem 0 .5rem; padding-bottom: .3rem; border-bottom: 1px solid var(--line); }
code, pre { font: 13px/1.5 ui-monospace, monospace; } pre { background: var(--soft); padding: .7rem; overflow: auto; border-radius: 6px; }
details { border: 1px solid var(--line); border-radius: 6px; margin: .5rem 0; padding: 0 .8rem; } details[open] { padding-bottom: .8rem; }
summary { padding: .5rem 0; cursor: pointer; } summary > p { display: inline; color: var(--quiet); margin-left: .7rem; }
b.method { display: inline-block; min-width: 4.4rem; font: 600 12px ui-monospace, monospace; }
b.GET { color: light-dark(#0a6b3d, #5fd39b); } b.POST, b.PUT, b.PATCH { color: light-dark(#8a4b00, #f0b35f); } b.DELETE { color: light-dark(#a3182b, #ff8d9a); }
dl { margin: .3rem 0 .3rem .2rem; padding-left: .9rem; border-left: 1px solid var(--line); } dt { margin-top: .35rem; } dd { margin: 0; color: var(--quiet); }
small { color: var(--quiet); } @media (max-width: 50rem) { body { display: block; } nav { position: static; max-height: none; } }
`;

/** The document as a page that a person can read, search with the browser's own search, and link into. */
export function referencePage({ info, tags, paths, components }: OpenApiDocument): string {
  const entries = Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
  );
  const sections = tags.map(({ name }) => {
    const own = entries.filter(({ operation }) => operation.tags.includes(name));
    return `<section><h2 id="${escapeHtml(name)}">${escapeHtml(name)}</h2>${own.map(entryHtml).join("")}</section>`;
  });
  const schemas = Object.entries(components.schemas).map(([name, schema]) => schemaSection(name, schema));
  const links = [...tags.map(({ name }) => [name, name]), ["components", "shapes"]].map(
    ([id = "", name = ""]) => `<li><a href="#${escapeHtml(id)}">${escapeHtml(name)}</a></li>`,
  );
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escapeHtml(info.title)}</title><style>${STYLE}</style></head>
<body><nav><ul>${links.join("")}</ul></nav>
<main><h1>${escapeHtml(info.title)}</h1><p>${escapeHtml(info.description)}</p><p><a href="/openapi.json">openapi.json</a></p>
${sections.join("\n")}
<section><h2 id="components">shapes</h2>${schemas.join("")}</section></main></body></html>
`;
}

interface Entry {
  readonly path: string;
  readonly method: string;
  readonly operation: DescribedOperation;
}

function entryHtml({ path, method, operation }: Entry): string {
  const { operationId, summary, description, parameters = [], requestBody, responses } = operation;
  const title = `<b class="method ${method}">${method}</b><code>${escapeHtml(path)}</code><p>${escapeHtml(summary)}</p>`;
  const rows = parameters.map(({ name, in: place, required, schema, description: text = "" }) =>
    row(`${name}`, schema as JsonSchema, `${place}${required ? ", required" : ""}`, text),
  );
  const parts = [
    `<p>${escapeHtml(description)}</p>`,
    rows.length === 0 ? "" : `<h4>Parameters</h4><dl>${rows.join("")}</dl>`,
    requestBody === undefined ? "" : `<h4>Body</h4>${contentHtml(requestBody.content)}`,
    ...Object.entries(responses as Readonly<Record<string, Answer>>)
      .filter(([, { content }]) => content !== undefined)
      .map(
        ([status, answer]) =>
          `<h4>${status}</h4><p>${escapeHtml(answer.description ?? "")}</p>${contentHtml(answer.content ?? {})}`,
      ),
  ];
  return `<details id="${escapeHtml(operationId)}"><summary>${title}</summary>${parts.join("")}</details>`;
}

interface Answer {
  readonly description?: string;
  readonly content?: Content;
}

type Content = Readonly<Record<string, { readonly schema: JsonSchema; readonly example?: unknown }>>;

function contentHtml(content: object): string {
  return Object.entries(content as Content)
    .map(([type, { schema, example }]) => {
      const text = typeof example === "string" ? example : JSON.stringify(example, null, 2);
      return `<small>${escapeHtml(type)}</small>${schemaHtml(schema)}${example === undefined ? "" : `<pre>${escapeHtml(text)}</pre>`}`;
    })
    .join("");
}

function schemaSection(name: string, schema: JsonSchema): string {
  const { description = "" } = schema;
  return `<details id="schema-${escapeHtml(name)}"><summary><code>${escapeHtml(name)}</code><p>${escapeHtml(String(description))}</p></summary>${schemaHtml(schema)}</details>`;
}

/** What a schema says below its own line. */
function schemaHtml(schema: JsonSchema): string {
  const { $ref, properties, items, additionalProperties, required } = schema as SchemaParts;
  if ($ref !== undefined) return `<p>${typeHtml(schema)}</p>`;
  const needed = new Set(required);
  const named = Object.entries(properties ?? {}).map(([key, property]) =>
    row(key, property, needed.has(key) ? "required" : "", String(property.description ?? "")),
  );
  const others =
    typeof additionalProperties === "object" && Object.keys(additionalProperties).length > 0
      ? [row("<any key>", additionalProperties, "", "")]
      : [];
  const rows = [...named, ...others];
  const alternatives = alternativesOf(schema).map(schemaHtml).join("");
  return (
    (rows.length === 0 ? "" : `<dl>${rows.join("")}</dl>`) +
    (items === undefined ? "" : schemaHtml(items)) +
    alternatives
  );
}

interface SchemaParts {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
  readonly additionalProperties?: JsonSchema | boolean;
  readonly required?: readonly string[];
}

function row(name: string, schema: JsonSchema, note: string, description: string): string {
  const fallback = (schema as SchemaParts).default;
  const standard =
    fallback === undefined || (typeof fallback === "object" && fallback !== null)
      ? ""
      : `, default ${JSON.stringify(fallback)}`;
  const secret = schema["x-secret"] === true ? ", secret" : "";
  const notes = `${typeHtml(schema)}${escapeHtml(`${secret}${standard}${note === "" ? "" : `, ${note}`}`)}`;
  return `<dt><code>${escapeHtml(name)}</code> <small>${notes}</small></dt><dd>${escapeHtml(description)}${schemaHtml(schema)}</dd>`;
}

function typeHtml(schema: JsonSchema): string {
  const { $ref, type, enum: values, const: only, items } = schema as SchemaParts;
  const name = $ref?.split("/").at(-1);
  if (name !== undefined) return `<a href="#schema-${escapeHtml(name)}">${escapeHtml(name)}</a>`;
  if (values !== undefined)
    return escapeHtml(
      values.length > 12 ? `one of ${values.length} codes` : values.map((value) => JSON.stringify(value)).join(" | "),
    );
  if (only !== undefined) return escapeHtml(JSON.stringify(only));
  if (type === "array" && items !== undefined) return `list of ${typeHtml(items)}`;
  const alternatives = alternativesOf(schema);
  if (alternatives.length > 0) return [...new Set(alternatives.map(typeHtml))].join(" or ");
  return escapeHtml([type ?? "anything"].flat().join(" or "));
}

function alternativesOf({ anyOf, oneOf, allOf }: JsonSchema): readonly JsonSchema[] {
  return ([anyOf, oneOf, allOf].find(Array.isArray) ?? []) as readonly JsonSchema[];
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
