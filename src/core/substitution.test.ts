import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Substitution } from "./substitution.ts";

function compiled(pattern: string, replacement: string): Substitution {
  const substitution = Substitution.compile(pattern, replacement);
  assert.ok(substitution instanceof Substitution);
  return substitution;
}

describe("a substitution", () => {
  it("puts groups where the replacement names them", () => {
    assert.equal(compiled("^/v(\\d)/(.*)$", "/$2?v=$1").replaceAll("/v2/users"), "/users?v=2");
    assert.equal(compiled("^/(a)(b)?", "/${1}0$2-$0-$$1").replaceAll("/a/c"), "/a0-/a-$1/c");
  });

  it("replaces all that is found, and nothing where nothing is", () => {
    assert.equal(compiled("_", "-").replaceAll("/a_b_c"), "/a-b-c");
    assert.equal(compiled("x", "y").replaceAll("/abc"), "/abc");
  });

  it("gives the replacement alone where only that is wanted", () => {
    assert.equal(compiled("/item/(\\d+)", "https://shop.example/$1").expand("/old/item/7/x"), "https://shop.example/7");
    assert.equal(compiled("/item", "/").expand("/other"), undefined);
  });

  it("is told what is wrong with either text", () => {
    assert.deepEqual(Substitution.compile("(", ""), {
      of: "pattern",
      message: "is not a regular expression of RE2: missing closing ) at `(`",
    });
    assert.deepEqual(Substitution.compile("(a)", "$2"), {
      of: "replacement",
      message: "there is no group 2; the pattern has 1",
    });
    for (const text of ["$", "a$b", "${name}", "$&"])
      assert.deepEqual(Substitution.compile("a", text), {
        of: "replacement",
        message: "a dollar sign stands before the number of a group, or twice for itself",
      });
  });

  it("does not become slow, whatever the text", () => {
    const hostile = compiled("^([a-z]+)*[0-9]$", "$1");
    assert.equal(hostile.replaceAll("a".repeat(8_000)), "a".repeat(8_000));
  });
});
