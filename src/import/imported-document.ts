import { checkDocument } from "../config/document.ts";
import type { JsonObject } from "../config/json.ts";
import type { Language } from "../config/language.ts";
import type { Problem } from "../config/problem.ts";
import { documentOf, renderDocument } from "../config/render-document.ts";
import { inCanonicalOrder, type Resource, resourceKey } from "../config/resource.ts";
import { rankRoutes } from "../config/route-order.ts";
import type { Finding, ImportReport } from "./import-report.ts";

/** What an import makes of a file. */
export interface Imported {
  /** A document that is valid. */
  readonly yaml: string;
  readonly findings: readonly Finding[];
}

/**
 * The document of resources, routes in the order in which they are given. Whatever the language refuses after all is left
 * out and reported, until what remains is valid: an import never hands on a document that nothing would take.
 */
export function importedDocument(language: Language, resources: readonly Resource[], report: ImportReport): Imported {
  let kept = resources;
  for (;;) {
    const refusals = refusedOf(language, kept);
    const refused = new Set(refusals.map(({ kind, id }) => `${kind}:${id}`));
    const next = kept.filter((resource) => !refused.has(resourceKey(resource)));
    if (next.length === kept.length) break;
    for (const { kind, id, message } of refusals)
      report.leftOut(`${kind} ${id}`, `the language refuses it: ${message}`);
    kept = next;
  }
  return { yaml: renderDocument(ranked(kept)), findings: report.findings };
}

function refusedOf(language: Language, resources: readonly Resource[]): readonly Problem[] {
  const document: JsonObject = documentOf(ranked(resources));
  const checked = checkDocument(language, document, () => undefined);
  return checked.ok ? [] : checked.problems;
}

function ranked(resources: readonly Resource[]): Resource[] {
  return inCanonicalOrder(rankRoutes(resources));
}
