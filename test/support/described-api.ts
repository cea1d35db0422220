import assert from "node:assert/strict";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import type { DescribedOperation, OpenApiDocument } from "../../src/admin/openapi/openapi-document.ts";

interface Answer {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly status: number;
  readonly contentType: string | null;
  readonly text: string;
}

type Responses = Readonly<Record<string, { readonly $ref?: string; readonly content?: Content } | undefined>>;
type Content = Readonly<Record<string, { readonly schema: object } | undefined>>;

/** The OpenAPI document of a node, by which answers of that node are checked. */
export class DescribedApi {
  readonly document: OpenApiDocument;
  readonly #ajv = new Ajv2020({ strict: false, allErrors: true });
  readonly #checks = new Map<object, ValidateFunction>();

  constructor(document: OpenApiDocument) {
    this.document = document;
    // What ajv takes for its own: the CommonJS default of a module.
    (addFormats as unknown as (ajv: Ajv2020) => void)(this.#ajv);
    // These come with a pattern besides.
    for (const format of ["cidrv4", "cidrv6"]) this.#ajv.addFormat(format, true);
    this.#ajv.addSchema({ ...document, $id: "urn:runway:api" });
  }

  static async of(adminUrl: string): Promise<DescribedApi> {
    return new DescribedApi((await (await fetch(`${adminUrl}/openapi.json`)).json()) as OpenApiDocument);
  }

  /** Every operation, as `GET /api/v1/routes`. */
  operations(): [string, DescribedOperation][] {
    return Object.entries(this.document.paths).flatMap(([path, item]) =>
      Object.entries(item).map(
        ([method, operation]) => [`${method.toUpperCase()} ${path}`, operation] as [string, DescribedOperation],
      ),
    );
  }

  /** @throws AssertionError when it is none that the document describes */
  requireDescribed(answer: Answer): void {
    const { method, path, status, contentType, text } = answer;
    const name = `${method} ${path} ${status}`;
    const operation = this.#operationOf(method, path.split("?")[0]!);
    if (operation === undefined) {
      assert.ok([404, 405].includes(status), `${name} is not described`);
      return;
    }
    const responses = operation.responses as Responses;
    const described = responses[status] ?? responses.default;
    const { content } = described?.$ref === undefined ? described! : this.#resolved(described.$ref);
    const type = contentType?.split(";")[0] ?? "";
    const media = content?.[type];
    assert.ok(media, `${name}: ${type} is not described`);
    if (!type.endsWith("json")) return;
    const check = this.#checks.getOrInsertComputed(media.schema, (schema) => this.#ajv.compile(relocated(schema)));
    assert.ok(check(JSON.parse(text)), `${name}: ${this.#ajv.errorsText(check.errors)} in ${text.slice(0, 2_000)}`);
  }

  /** Whether a body is one that the operation describes. */
  takes(operation: DescribedOperation, body: unknown): boolean {
    const [media] = Object.values((operation.requestBody?.content ?? {}) as Content);
    return this.#ajv.compile(relocated(media!.schema))(body);
  }

  #operationOf(method: string, path: string): DescribedOperation | undefined {
    const fits = (template: string) => new RegExp(`^${template.replaceAll(/\{\w+\}/g, "[^/]+")}$`).test(path);
    const templates = Object.keys(this.document.paths).filter(fits);
    // What is written out goes before what a parameter stands for.
    const nearest = templates.toSorted((a, b) => a.split("{").length - b.split("{").length)[0];
    return nearest === undefined ? undefined : this.document.paths[nearest]?.[method.toLowerCase()];
  }

  #resolved(reference: string): { readonly content?: Content } {
    const name = reference.split("/").at(-1) as keyof OpenApiDocument["components"]["responses"];
    return this.document.components.responses[name] as { readonly content?: Content };
  }
}

/** References in a piece of the document are to the whole. */
function relocated(schema: object): object {
  return JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"urn:runway:api#/')) as object;
}
