import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readYaml } from "./yaml.ts";

function value(text: string, variables?: Record<string, string>): unknown {
  const result = readYaml(text, variables);
  assert.ok(result.ok, JSON.stringify(result));
  return result.value;
}

function problem(text: string, variables?: Record<string, string>) {
  const result = readYaml(text, variables);
  assert.ok(!result.ok, "was read");
  assert.equal(result.problems.length, 1);
  return result.problems[0]!;
}

describe("readYaml", () => {
  it("replaces variables in scalars: plain ones may become numbers and flags, quoted ones stay text", () => {
    const variables = { PORT: "8080", ON: "true", NAME: "a" };
    const text = "port: ${PORT}\nquoted: '${PORT}'\non: ${ON}\naddress: ${NAME}:${PORT}\nblock: |\n  ${NAME}\n";
    assert.deepEqual(value(text, variables), {
      port: 8080,
      quoted: "8080",
      on: true,
      address: "a:8080",
      block: "a\n",
    });
  });

  it("lets no value of a variable become structure", () => {
    const variables = { EVIL: "x\nroutes: []", MORE: "{a: 1}", ANCHOR: "*x", EMPTY: "" };
    assert.deepEqual(value("a: ${EVIL}\nb: ${MORE}\nc: ${ANCHOR}\nd: ${EMPTY}", variables), {
      a: "x\nroutes: []",
      b: "{a: 1}",
      c: "*x",
      d: "",
    });
  });

  it("names every place of a variable that is not set, but not one in a comment", () => {
    const result = readYaml("# ${COMMENT}\na:\n  - b: ${ONE}\n    c: '${ONE} ${TWO}'\n", {});
    assert.ok(!result.ok);
    assert.deepEqual(
      result.problems.map(({ path, line, message }) => [path, line, /variable (\w+) is not set/.exec(message)?.[1]]),
      [
        ["a[0].b", 3, "ONE"],
        ["a[0].c", 4, "ONE"],
        ["a[0].c", 4, "TWO"],
      ],
    );
  });

  it("leaves all variables as they are when it is given none", () => {
    assert.deepEqual(value("a: ${HOME}\nb: $${HOME}"), { a: "${HOME}", b: "$${HOME}" });
  });

  it("knows merge keys", () => {
    assert.deepEqual(value("a: &a {x: 1, y: 1}\nb:\n  <<: *a\n  y: 2"), { a: { x: 1, y: 1 }, b: { x: 1, y: 2 } });
  });

  it("refuses what is not one mapping", () => {
    assert.deepEqual(problem("- 1"), {
      path: "",
      line: 1,
      message: "the document has to be a mapping with keys such as listeners and routes",
    });
    assert.equal(problem("").message, "the document is empty");
    assert.equal(problem("# nothing\n").message, "the document is empty");
    assert.match(problem("---\na: 1\n---\nb: 1\n").message, /single document/);
  });

  it("tells the line of a mistake in the syntax, and how to write a variable between brackets", () => {
    assert.deepEqual(problem("a: 1\nb:\n\t- c"), {
      path: "",
      line: 3,
      message: "not valid YAML: tab characters must not be used in indentation",
    });
    assert.match(problem("a: [${PORT}]", { PORT: "1" }).message, /in quotes$/);
  });

  it("refuses a key that is written twice", () => {
    const { line, message } = problem("routes: []\nlisteners: []\nroutes: []\n");
    assert.deepEqual([line, message], [3, "the key routes is written twice in one mapping"]);
  });

  it("refuses aliases that grow without bounds or contain themselves", () => {
    const names = "abcdefgh";
    const bomb = [...names].map((name, level) => {
      const items = level === 0 ? "1" : `*${names[level - 1]}`;
      return `${name}: &${name} [${Array(10).fill(items).join(",")}]`;
    });
    assert.match(problem(bomb.join("\n")).message, /more than 5000000 values/);
    assert.match(problem("a: &a {b: *a}").message, /contains itself/);
    assert.match(problem(`a: ${"[".repeat(70)}${"]".repeat(70)}`).message, /depth|nest/i);
  });
});
