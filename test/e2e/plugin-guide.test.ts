import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";
import { freePort } from "../support/free-port.ts";
import { RunwayProcess } from "../support/runway-process.ts";

const execute = promisify(execFile);
const ROOT = new URL("../../", import.meta.url).pathname;

/** The guide's code blocks by the name behind their language. */
async function blocks(): Promise<Map<string, string>> {
  const text = await readFile(join(ROOT, "docs/guides/write-a-plugin.md"), "utf8");
  return new Map(Array.from(text.matchAll(/^```\w+ ([\w.-]+)\n([\s\S]*?)^```$/gm), ([, name, code]) => [name!, code!]));
}

// A test that runs tests would otherwise take them for its own.
const { NODE_TEST_CONTEXT: _, ...env } = process.env;

/** What a program says, and how it ends. */
async function say(folder: string, program: string, ...args: string[]): Promise<{ code: number; out: string }> {
  try {
    const { stdout, stderr } = await execute(program, args, { cwd: folder, env });
    return { code: 0, out: stdout + stderr };
  } catch (error) {
    const { code = 1, stdout = "", stderr = "" } = error as { code?: number; stdout?: string; stderr?: string };
    return { code, out: stdout + stderr };
  }
}

describe("the plugin guide, followed word for word in an empty folder", () => {
  let folder: string;
  let guide: Map<string, string>;
  const runway = () => join(folder, "node_modules/runway/bin/runway");

  /** As `npm install runway zod` leaves it: what is published, built, and no sources. */
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "runway-guide-"));
    const installed = join(folder, "node_modules/runway");
    await mkdir(installed, { recursive: true });
    for (const part of ["package.json", "bin", "proto"])
      await cp(join(ROOT, part), join(installed, part), { recursive: true });
    await symlink(join(ROOT, "node_modules"), join(installed, "node_modules"));
    await symlink(join(ROOT, "node_modules/zod"), join(folder, "node_modules/zod"));
    await symlink(join(ROOT, "node_modules/@types"), join(folder, "node_modules/@types"));
    const tsc = join(ROOT, "node_modules/.bin/tsc");
    await execute(tsc, ["-p", join(ROOT, "tsconfig.build.json"), "--outDir", join(installed, "dist")]);
    await writeFile(join(folder, "package.json"), '{ "type": "module" }\n');
    guide = await blocks();
    for (const name of ["greeting.ts", "greeting.test.ts", "runway.yaml"])
      await writeFile(join(folder, name), guide.get(name)!);
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it("has a plugin of fewer than forty lines that is typed", async () => {
    assert.ok(guide.get("greeting.ts")!.split("\n").length < 40);
    const strict = [
      "--noEmit",
      "--strict",
      "--target",
      "esnext",
      "--module",
      "nodenext",
      "--allowImportingTsExtensions",
      "--skipLibCheck",
      "--types",
      "node",
    ];
    const checked = await say(
      folder,
      join(ROOT, "node_modules/.bin/tsc"),
      ...strict,
      "greeting.ts",
      "greeting.test.ts",
    );
    assert.deepEqual(checked, { code: 0, out: "" });
    await writeFile(
      join(folder, "wrong.ts"),
      guide.get("greeting.ts")!.replace("{ text, turn_away }", "{ txet, turn_away }"),
    );
    assert.match(
      (await say(folder, join(ROOT, "node_modules/.bin/tsc"), ...strict, "wrong.ts")).out,
      /Property 'txet' does not exist/,
    );
  });

  it("is tested without sockets", async () => {
    const tested = await say(folder, process.execPath, "--test", "greeting.test.ts");
    assert.equal(tested.code, 0, tested.out);
    assert.match(tested.out, /pass 1/);
  });

  it("is loaded, and its mistakes in configuration are reported like any others", async () => {
    assert.deepEqual(await say(folder, runway(), "validate"), {
      code: 0,
      out: "runway.yaml is valid: standalone, 1 listener, 1 route, 0 upstreams\n",
    });
    await writeFile(join(folder, "mistake.yaml"), guide.get("runway.yaml")!.replace("text:", "txet:"));
    const { code, out } = await say(folder, runway(), "validate", "-c", "mistake.yaml");
    assert.notEqual(code, 0);
    assert.ok(out.startsWith(guide.get("mistake")!.replaceAll("runway.yaml", "mistake.yaml")), out);
  });

  it("says clearly what is wrong with a module", async () => {
    await writeFile(join(folder, "empty.ts"), "export const nothing = 1;\n");
    await writeFile(join(folder, "broken.ts"), "throw new Error('no database');\n");
    await writeFile(join(folder, "cors.ts"), guide.get("greeting.ts")!.replace('"greeting"', '"cors"'));
    await writeFile(
      join(folder, "wrong.yaml"),
      "extensions:\n  - ./missing.ts\n  - ./empty.ts\n  - ./broken.ts\n  - ./cors.ts\n",
    );
    const { out } = await say(folder, runway(), "validate", "-c", "wrong.yaml");
    assert.match(out, /line 2: extensions\[0\]: \.\/missing\.ts: there is no such file/);
    assert.match(out, /line 3: extensions\[1\]: \.\/empty\.ts: it exports no plugin/);
    assert.match(out, /line 4: extensions\[2\]: \.\/broken\.ts: it cannot be loaded: no database/);
    assert.match(
      out,
      /line 5: extensions\[3\]: \.\/cors\.ts: it has a plugin "cors", and there is something of that name already/,
    );
  });

  it("runs in the workers of a node, beside the plugins of the house", async () => {
    const origin = createServer((_, response) => response.end("from the origin"));
    await new Promise<void>((resolve) => origin.listen(0, "127.0.0.1", resolve));
    const [port, adminPort] = [await freePort(), await freePort()];
    const yaml = guide
      .get("runway.yaml")!
      .replace("8080", String(port))
      .replace("9000", String((origin.address() as AddressInfo).port));
    await writeFile(
      join(folder, "run.yaml"),
      `${yaml}workers: 2\nadmin: { port: ${adminPort} }\nsecurity_headers: {}\n`,
    );
    const node = new RunwayProcess(join(folder, "run.yaml"));
    try {
      await node.logged("Runway is running");
      const greeted = await fetch(`http://127.0.0.1:${port}/`);
      assert.equal(await greeted.text(), "from the origin");
      assert.equal(greeted.headers.get("x-greeting"), "hello");
      assert.equal(greeted.headers.get("x-content-type-options"), "nosniff");
      const refused = await fetch(`http://127.0.0.1:${port}/`, { headers: { "user-agent": "BadBot" } });
      assert.deepEqual([refused.status, await refused.text()], [403, "Not today.\n"]);
    } finally {
      await node.end();
      origin.closeAllConnections();
      await new Promise((closed) => origin.close(closed));
    }
  });
});
