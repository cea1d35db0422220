import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { lineLookup } from "./source-lines.ts";

const TEXT = `# a comment
routes:
  - id: a
    methods: [GET,
      POST]

  - id: b
    empty:
    text: |
      x: 1
      y
upstreams:
  api.v2:
    backends: &b
      - {url: "a: b"}
  other:
    backends: *b
`;

describe("lineLookup", () => {
  const lineOf = lineLookup(TEXT);

  it("finds the line of every key and item", () => {
    const lines = {
      routes: 2,
      "routes[0]": 3,
      "routes[0].id": 3,
      "routes[0].methods[1]": 5,
      "routes[1].id": 7,
      "routes[1].empty": 8,
      "routes[1].text": 9,
      'upstreams["api.v2"].backends[0].url': 15,
      "upstreams.other.backends": 17,
    };
    for (const [path, line] of Object.entries(lines)) assert.equal(lineOf(path), line, path);
  });

  it("answers with the nearest place above what the text does not name", () => {
    assert.equal(lineOf("routes[1].backends[0].url"), 7);
    assert.equal(lineOf("upstreams.other.backends[0].url"), 17);
    assert.equal(lineOf("nothing.like.it"), undefined);
    assert.equal(lineOf(""), 2);
  });
});
