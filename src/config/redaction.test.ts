import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { z } from "zod";
import { REDACTED, secret, secretByName } from "../sdk/secret.ts";
import type { JsonObject } from "./json.ts";
import { Redaction } from "./redaction.ts";

const block = z.strictObject({
  password: secret(z.string().min(3)).describe("It.").optional(),
  plain: z.string().optional(),
  either: z.union([z.literal(false), z.strictObject({ token: secret(z.string()) })]).optional(),
  keys: z.array(z.strictObject({ hash: secret(z.string()), name: z.string() })).default([]),
  headers: z.record(z.string(), secretByName(z.string())).default({}),
  conditions: z.array(z.strictObject({ name: z.string(), value: secretByName(z.string()) })).default([]),
  changed: secret(z.string())
    .transform((text) => text.length)
    .optional(),
  anything: z.json().optional(),
  rest: z.looseObject({}).optional(),
});

function shown(spec: JsonObject, schema: z.ZodType | undefined = block): JsonObject {
  return new Redaction({ specificationOf: () => schema }).spec({ kind: "k", id: "i" }, spec);
}

describe("redaction", () => {
  it("puts a marker where a schema says that there is a secret, however it is wrapped", () => {
    const hidden = { password: "abc", either: { token: "t" }, keys: [{ hash: "h", name: "n" }], changed: "c" };
    assert.deepEqual(shown({ ...hidden, plain: "p" }), {
      password: REDACTED,
      either: { token: REDACTED },
      keys: [{ hash: REDACTED, name: "n" }],
      changed: REDACTED,
      plain: "p",
    });
  });

  it("shows references, which are no secrets, and that there is none", () => {
    const spec = { password: "${env:PASSWORD}", changed: "", keys: [{ hash: "${file:/x}", name: "" }] };
    assert.deepEqual(shown(spec), spec);
    assert.deepEqual(shown({ password: "${env:A} and more" }), { password: REDACTED });
  });

  it("goes by the name where what is a secret depends on it", () => {
    const headers = { name: "a", Authorization: "b", "X-Api-Key": "c", "X-Version": "d" };
    const conditions = [
      { name: "Cookie", value: "e" },
      { name: "x-canary", value: "f" },
    ];
    assert.deepEqual(shown({ headers, conditions }), {
      headers: { name: "a", Authorization: REDACTED, "X-Api-Key": REDACTED, "X-Version": "d" },
      conditions: [
        { name: "Cookie", value: REDACTED },
        { name: "x-canary", value: "f" },
      ],
    });
  });

  it("hides what the schemas do not know, such as the block of a plugin that is gone", () => {
    assert.deepEqual(shown({ plain: "p", gone: { a: 1 }, other: "${env:X}" }), {
      plain: "p",
      gone: REDACTED,
      other: "${env:X}",
    });
    assert.deepEqual(new Redaction({ specificationOf: () => undefined }).spec({ kind: "k", id: "i" }, { a: "b" }), {
      a: REDACTED,
    });
    assert.deepEqual(shown({ anything: { a: [1] } }), { anything: { a: [1] } });
  });

  it("has a marker that cannot be written", () => {
    const problems = block.safeParse({ password: REDACTED }).error?.issues;
    assert.deepEqual(
      problems?.map(({ path }) => path),
      [["password"]],
    );
    assert.match(problems?.[0]?.message ?? "", /was redacted/);
    assert.ok(!block.safeParse({ headers: { "X-Version": REDACTED } }).success);
  });
});
