import { z } from "zod";
import { definePlugin, type HeaderFields, type ResponseContext } from "../../sdk/index.ts";
import { CODINGS, chooseCoding, compressor } from "./content-coding.ts";

const TYPES = [
  "text/*",
  "application/json",
  "application/*+json",
  "application/javascript",
  "application/xml",
  "application/*+xml",
  "application/wasm",
  "image/svg+xml",
];

/** Compresses what upstreams send uncompressed, for clients that take it so (RFC 9110 §8.4). */
export const compression = definePlugin({
  name: "compression",
  dispensable: true,
  config: z
    .strictObject({
      algorithms: z
        .array(z.enum(CODINGS))
        .min(1)
        .default([...CODINGS])
        .describe("Codings that are offered, preferred first."),
      level: z
        .int()
        .min(0)
        .max(11)
        .default(4)
        .describe("How hard to try: the quality of brotli, and the level of the others as far as they go."),
      min_size: z
        .int()
        .min(0)
        .default(1_024)
        .describe("Bytes that a body has to have, where its length is known, to be worth it."),
      content_types: z
        .array(z.string().regex(/^[\w.+*-]+\/[\w.+*-]+$/, "must be a media type such as text/html or text/*"))
        .min(1)
        .default(TYPES)
        .describe("Media types that are compressed; * stands for any text."),
    })
    .describe("Compression of responses: brotli, zstd or gzip, as the client takes it."),
  create({ algorithms, level, min_size, content_types }, host) {
    const isWorthIt = typeMatcher(content_types);
    return {
      onResponse({ headers: asked }, response) {
        const { headers, contentLength } = response;
        if (!mayBeCoded(response) || !isWorthIt(headers.get("content-type"))) return;
        // Also where this client gets it as it is: another one would not.
        addVary(headers);
        if (contentLength !== undefined && contentLength < min_size) return;
        const coding = chooseCoding(asked.get("accept-encoding"), algorithms);
        if (coding === undefined) return;
        headers.set("Content-Encoding", coding);
        headers.remove("Accept-Ranges");
        weaken(headers);
        response.transformBody(compressor(coding, level));
        host.count(coding);
      },
    };
  },
});

/** A part of a body, one that is coded already, and one that nobody may change are left alone. */
function mayBeCoded({ isFromUpstream, hasBody, status, headers }: ResponseContext): boolean {
  if (!isFromUpstream || !hasBody || status === 206 || headers.has("content-range")) return false;
  const coding = headers.get("content-encoding")?.trim().toLowerCase() ?? "identity";
  return coding === "identity" && !/\bno-transform\b/i.test(headers.get("cache-control") ?? "");
}

/** Different octets cannot have the same strong validator (RFC 9110 §8.8.1). */
function weaken(headers: HeaderFields): void {
  const tag = headers.get("etag");
  if (tag?.startsWith('"') === true) headers.set("ETag", `W/${tag}`);
}

function addVary(headers: HeaderFields): void {
  const vary = headers.get("vary");
  if (vary === undefined) headers.set("Vary", "Accept-Encoding");
  else if (!/(?:^|,)\s*(?:\*|accept-encoding)\s*(?:,|$)/i.test(vary)) headers.set("Vary", `${vary}, Accept-Encoding`);
}

function typeMatcher(patterns: readonly string[]): (contentType: string | undefined) => boolean {
  const alternatives = patterns.map((pattern) => pattern.toLowerCase().split("*").map(RegExp.escape).join("[^/;\\s]*"));
  const expression = new RegExp(`^\\s*(?:${alternatives.join("|")})\\s*(?:;|$)`);
  return (contentType) => contentType !== undefined && expression.test(contentType.toLowerCase());
}
