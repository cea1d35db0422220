import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from "node:zlib";
import { request, run, TestPlugin } from "../../sdk/testing.ts";
import { CODINGS, chooseCoding, compressor } from "./content-coding.ts";
import { compression } from "./plugin.ts";

const BODY = "the quick brown fox jumps over the lazy dog. ".repeat(100);
const DECODE = { br: brotliDecompressSync, zstd: zstdDecompressSync, gzip: gunzipSync };

function answered(headers: Record<string, string> = {}, accept = "gzip, br, zstd", config: object = {}) {
  const upstream = { headers: { "Content-Type": "text/plain; charset=utf-8", ...headers }, body: BODY };
  return run(compression, config, request("/", { headers: { "Accept-Encoding": accept } }), { upstream });
}

describe("compression", () => {
  for (const coding of CODINGS)
    it(`gives ${coding} to who takes it, the same when decoded`, async () => {
      const { headers, body } = await answered({}, coding);
      assert.equal(headers["content-encoding"], coding);
      assert.ok(body.length < BODY.length / 5);
      assert.equal(DECODE[coding](body).toString(), BODY);
    });

  it("prefers by its own order among what the client takes", async () => {
    assert.equal((await answered()).headers["content-encoding"], "br");
    assert.equal((await answered({}, "gzip, br", { algorithms: ["gzip", "br"] })).headers["content-encoding"], "gzip");
  });

  it("weakens the validator, offers no ranges and tells caches what the answer depends on", async () => {
    const { headers } = await answered({ ETag: '"v1"', "Accept-Ranges": "bytes", Vary: "Origin" });
    assert.deepEqual(
      [headers.etag, headers["accept-ranges"], headers.vary],
      ['W/"v1"', undefined, "Origin, Accept-Encoding"],
    );
  });

  const untouched: readonly [what: string, headers: Record<string, string>, accept?: string][] = [
    ["what is coded already", { "Content-Encoding": "gzip" }],
    ["what nobody may transform", { "Cache-Control": "public, no-transform" }],
    ["a part of a body", { "Content-Range": "bytes 0-9/100" }],
    ["what does not get smaller", { "Content-Type": "image/png" }],
    ["what has no type", { "Content-Type": "" }],
    ["answers to clients that forbid it", {}, "br;q=0, gzip;q=0, *;q=0"],
    ["answers to clients that want it as it is", {}, "identity"],
  ];
  for (const [what, headers, accept] of untouched)
    it(`leaves ${what} alone`, async () => {
      const result = await answered(headers, accept);
      assert.equal(result.body.toString(), BODY);
      assert.equal(result.headers["content-encoding"], headers["Content-Encoding"]);
    });

  it("leaves small bodies alone, but tells caches that larger ones would be coded", async () => {
    const upstream = { headers: { "Content-Type": "text/plain" }, body: "small" };
    const { headers, body } = await run(compression, {}, request("/", { headers: { "Accept-Encoding": "br" } }), {
      upstream,
    });
    assert.deepEqual(
      [body.toString(), headers["content-encoding"], headers.vary],
      ["small", undefined, "Accept-Encoding"],
    );
  });

  it("gives out what it holds when the upstream pauses", async () => {
    for (const coding of CODINGS) {
      const { stream, flush } = compressor(coding, 4);
      const { promise, resolve } = Promise.withResolvers<Buffer>();
      stream.on("data", (octets: Buffer) => octets.length > 0 && resolve(octets));
      stream.write("data: one\n\n");
      flush();
      assert.ok((await promise).length > 0);
      stream.destroy();
    }
  });

  it("counts what it did, by coding", async () => {
    const plugin = new TestPlugin(
      compression,
      {},
      { upstream: { headers: { "Content-Type": "text/css" }, body: BODY } },
    );
    for (const accept of ["br", "gzip", "gzip", ""])
      await plugin.run(request("/", { headers: { "Accept-Encoding": accept } }));
    assert.deepEqual(plugin.events, { br: 1, gzip: 2 });
  });

  it("refuses what it cannot do", async () => {
    await assert.rejects(run(compression, { level: 12 }), /12|11/);
    await assert.rejects(run(compression, { algorithms: ["deflate"] }), /br/);
    await assert.rejects(run(compression, { content_types: ["text"] }), /must be a media type/);
  });
});

describe("the choice of a coding", () => {
  it("reads Accept-Encoding as RFC 9110 writes it", () => {
    const cases: readonly [string | undefined, string | undefined][] = [
      [undefined, undefined],
      ["", undefined],
      ["gzip", "gzip"],
      ["GZIP;Q=0.5", "gzip"],
      ["br;q=0, gzip", "gzip"],
      ["*", "br"],
      ["*;q=0.1, br;q=0", "zstd"],
      ["gzip;q=nonsense", undefined],
    ];
    for (const [accepted, expected] of cases)
      assert.equal(chooseCoding(accepted, CODINGS), expected, `Accept-Encoding: ${accepted}`);
  });
});
