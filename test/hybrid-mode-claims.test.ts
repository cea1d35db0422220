import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { describe, it } from "node:test";

const ROOT = new URL("../", import.meta.url);
const PAGE = readFileSync(new URL("docs/hybrid-mode-claims.md", ROOT), "utf8");
/** How many lines each letter has. */
const LINES = { A: 4, B: 5, C: 8, D: 4, E: 3, F: 2, G: 3, H: 4, I: 5, J: 7, K: 2 };

describe("the page of what hybrid mode promises", () => {
  it("names nothing that is not there", () => {
    const named = [...PAGE.matchAll(/`((?:src|test|bench|docs)\/[^`]+)`/g)].map(([, path]) => path!);
    assert.ok(named.length > 60);
    assert.deepEqual(
      named.filter((path) => !existsSync(new URL(path, ROOT))),
      [],
    );
  });

  it("has an answer for every line", () => {
    const wanted = Object.entries(LINES).flatMap(([letter, count]) =>
      Array.from({ length: count }, (_, index) => `${letter}${index + 1}`),
    );
    const rows = PAGE.split("\n").filter((line) => /^\| [A-K]\d/.test(line));
    const answered = rows.flatMap((row) => {
      const [, name = "", , answer = ""] = row.split("|").map((cell) => cell.trim());
      assert.match(answer, /`.+`|^none: ./, name);
      const [first, last = first] = name.split("–");
      const from = Number(first!.slice(1));
      return Array.from({ length: Number(last!.slice(1)) - from + 1 }, (_, index) => `${name[0]}${from + index}`);
    });
    assert.deepEqual(answered, wanted);
  });
});
