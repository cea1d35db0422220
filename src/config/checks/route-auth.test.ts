import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { z } from "zod";
import { parseDocument } from "../document.ts";
import { Language } from "../language.ts";

const key = {
  name: "key",
  authenticates: true,
  config: z.strictObject({}),
  scopes: ["gateway", "route", "upstream"],
} as const;
const language = new Language([key, { ...key, name: "token" }]);

function problemsOf(auth: string, rest = ""): string[] {
  const text = `routes: [{ id: a, path: /a, upstream: u, auth: ${auth} }]\nupstreams: { u: { backends: [{ url: "http://x" }] } }\n`;
  const document = parseDocument(language, text + rest);
  return document.ok ? [] : document.problems.map(({ path, message }) => `${path}: ${message}`);
}

describe("what a route says about authentication", () => {
  it("is fine when somebody can authenticate, or nobody has to", () => {
    assert.deepEqual(problemsOf("{}", "key: {}"), []);
    assert.deepEqual(problemsOf("{ methods: [key] }", "key: {}"), []);
    assert.deepEqual(problemsOf("{ required: false }"), []);
  });

  it("is refused when nobody could ever come in, so that no route is open by mistake", () => {
    const nobody = "routes[0].auth: no plugin that authenticates is configured for this route; there are key, token";
    assert.deepEqual(problemsOf("{}"), [nobody]);
    assert.deepEqual(problemsOf("{}", "key: { enabled: false }"), [nobody]);
  });

  it("names plugins that authenticate and are configured", () => {
    assert.deepEqual(problemsOf("{ methods: [kye] }", "key: {}"), [
      "routes[0].auth.methods[0]: kye does not authenticate; did you mean key?",
    ]);
    assert.deepEqual(problemsOf("{ methods: [token] }", "key: {}"), [
      "routes[0].auth.methods[0]: token is not configured for this route; add it here or at the top",
    ]);
  });
});
