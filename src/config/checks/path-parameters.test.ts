import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { onlyProblemOf, problemsOf } from "../testing/problems-of.ts";

describe("the path of a route", () => {
  const text = (path: string) => `routes: [{id: a, path: "${path}", backends: [{url: "http://x"}]}]`;

  it("may have parameters, colons and escapes", () => {
    for (const path of [
      "/",
      "/a/",
      "/users/{id}/posts/{post_2}",
      "/things:batch",
      "/a//b",
      "/caf%C3%A9",
      "/.well-known/x",
    ])
      assert.deepEqual(problemsOf(text(path)), [], path);
  });

  it("is told what is wrong with it", () => {
    const wrong = {
      "/{id}/x/{id}": "the parameter {id} is there twice",
      "/a-{id}": '"a-{id}" is not a parameter; a parameter is a whole segment',
      "/{}": '"{}" is not a parameter',
      "/{1}": '"{1}" is not a parameter',
      "/{id": '"{id" is not a parameter',
      "/users/:id": '":id" is not a parameter here; write {id}',
      "/a/../b": '".." is never in the path of a request',
      "/café": '"café" reaches the gateway percent-encoded; write it as caf%C3%A9',
      "/100%": '"%" in "100%" has to be followed by two hexadecimal digits',
    };
    for (const [path, message] of Object.entries(wrong)) {
      const problem = onlyProblemOf(text(path));
      assert.ok(problem.startsWith(`routes[0].path: ${message}`), `${path}: ${problem}`);
    }
  });
});
