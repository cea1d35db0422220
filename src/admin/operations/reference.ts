import { createHash } from "node:crypto";
import { z } from "zod";
import type { DescribedServer, OpenApiDocument } from "../openapi/openapi-document.ts";
import { EVERY_ROLE, type Operation, operation } from "../operation.ts";

/** The description of the API itself, made when it is asked for the first time. It holds nothing of the configuration, so it is for everybody. */
export function referenceOperations(describe: () => DescribedServer): Operation[] {
  const reference = { method: "GET", roles: EVERY_ROLE, access: "everybody" } as const;
  let made: Promise<OpenApiDocument> | undefined;
  const document = () => {
    made ??= import("../openapi/openapi-document.ts").then(({ openApiDocument }) => openApiDocument(describe()));
    return made;
  };
  return [
    operation({
      ...reference,
      path: "/openapi.json",
      summary: "This API as an OpenAPI 3.1 document.",
      answer: z.looseObject({ openapi: z.string(), paths: z.looseObject({}) }),
      handle: async () => ({ json: await document() }),
    }),
    operation({
      ...reference,
      path: "/docs",
      summary: "This API as a page to read. It needs no script and nothing from elsewhere.",
      answer: "text/html",
      handle: async () => {
        const { referencePage, STYLE } = await import("../openapi/reference-page.ts");
        const style = createHash("sha256").update(STYLE).digest("base64");
        const policy = `default-src 'none'; style-src 'sha256-${style}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;
        const headers = {
          "content-security-policy": policy,
          "x-content-type-options": "nosniff",
          "referrer-policy": "no-referrer",
        };
        return { text: referencePage(await document()), contentType: "text/html; charset=utf-8", headers };
      },
    }),
  ];
}
