import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { after, before, describe, it, type TestContext } from "node:test";
import {
  controlPlaneViews,
  SAMPLE_DATA_PLANE,
  SAMPLE_YAML,
  SampleDesk,
  SampleFleet,
  SampleGateway,
  sampleNode,
  sharedViews,
  startAdmin,
} from "../admin/testing.ts";
import { EXIT } from "./exit-codes.ts";

const MAIN = new URL("./main.ts", import.meta.url).pathname;
let directory: string;

before(async () => {
  directory = await mkdtemp(join(tmpdir(), "runway-cli-"));
});
after(() => rm(directory, { recursive: true }));

interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs the real program in the temporary directory. */
async function runway(args: readonly string[], { input = "", env = {} } = {}): Promise<Outcome> {
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", MAIN, ...args], {
    cwd: directory,
    env: { PATH: process.env.PATH, ...env },
  });
  child.stdin.end(input);
  const exited = once(child, "exit");
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const [code] = await exited;
  return { code, out, err };
}

async function file(name: string, content: string): Promise<string> {
  await writeFile(join(directory, name), content);
  return name;
}

async function controlPlane(test: TestContext, fleet = new SampleFleet(), desk = new SampleDesk()): Promise<string> {
  const server = await startAdmin({ ...sharedViews(), ...controlPlaneViews(desk, fleet) });
  test.after(() => server.stop(AbortSignal.timeout(1_000)));
  return server.url;
}

describe("runway", () => {
  it("explains itself, its commands and its exit codes", async () => {
    const { code, out } = await runway(["--help"]);
    assert.equal(code, EXIT.ok);
    for (const word of [
      "run",
      "up",
      "validate",
      "push",
      "diff",
      "nodes",
      "status",
      "pki",
      "version",
      "Examples:",
      "Exit codes:",
    ])
      assert.ok(out.includes(word), word);
    assert.ok(!out.includes("origin [options]"));
  });

  it("says what to do when there is no configuration", async () => {
    const { code, err } = await runway([]);
    assert.equal(code, EXIT.usage);
    assert.match(err, /no runway\.yaml here.*-c FILE.*runway up/s);
    const named = await runway(["-c", "nowhere.yaml"]);
    assert.equal(named.code, EXIT.usage);
    assert.match(named.err, /nowhere\.yaml cannot be read: no such file/);
  });

  it("refuses what it does not know by name", async () => {
    const command = await runway(["pusj"]);
    assert.equal(command.code, EXIT.usage);
    assert.match(command.err, /no command "pusj".*push/);
    const option = await runway(["nodes", "--jsn"]);
    assert.equal(option.code, EXIT.usage);
    assert.match(option.err, /unknown option '--jsn'/);
  });

  it("prints its version", async () => {
    assert.match((await runway(["version"])).out, /^runway \d+\.\d+\.\d+ \(node \d+/);
    assert.ok(JSON.parse((await runway(["version", "--json"])).out).runway);
  });
});

describe("runway validate", () => {
  it("says what a valid file holds and every problem of one that is not", async () => {
    const good = await runway(["validate", "-c", await file("good.yaml", SAMPLE_YAML)]);
    assert.equal(good.code, EXIT.ok);
    assert.match(good.out, /good\.yaml is valid: standalone, .*1 route/);
    const bad = await runway([
      "validate",
      "-c",
      await file("bad.yaml", "rutes: []\nroutes:\n  - id: a\n    path: x\n"),
    ]);
    assert.equal(bad.code, EXIT.invalid);
    assert.match(bad.err, /bad\.yaml: line 1: .*did you mean `routes`/);
    assert.match(bad.err, /bad\.yaml: line 4: routes\[0\]\.path/);
  });

  it("shows every value with its origin", async () => {
    const args = ["validate", "-c", await file("own.yaml", "admin:\n  port: 9081\n"), "--effective"];
    const { code, out } = await runway(args, {
      // The second one is the command line's own and no setting of a node.
      env: { RUNWAY_LOGGING_LEVEL: "debug", RUNWAY_ADMIN_URL: "http://127.0.0.1:8081" },
    });
    assert.equal(code, EXIT.ok);
    assert.match(out, /^admin\.port +9081 +file line 2$/m);
    assert.match(out, /^logging\.level +"debug" +env RUNWAY_LOGGING_LEVEL$/m);
    assert.match(out, /^admin\.address +"127\.0\.0\.1" +default$/m);
    const json = await runway([...args, "--json"]);
    assert.ok(JSON.parse(json.out).some(({ path }: { path: string }) => path === "admin.port"));
  });
});

describe("runway push and diff", () => {
  it("shows what would change, changes it, and finds no difference then", async (test) => {
    const env = { RUNWAY_ADMIN_URL: await controlPlane(test) };
    const next = await file("next.yaml", SAMPLE_YAML.replaceAll("api", "api-v2"));
    const before = await runway(["diff", next], { env });
    assert.deepEqual(before, { code: EXIT.failed, out: "  - route:api\n  + route:api-v2\n", err: "" });
    const dry = await runway(["push", next, "--dry-run"], { env });
    assert.equal(dry.out, "Version 2 would have 2 changes:\n  - route:api\n  + route:api-v2\n");
    const push = await runway(["push", next, "-m", "the second version"], { env });
    assert.equal(push.code, EXIT.ok);
    assert.match(push.out, /^Version 2 has 2 changes:/);
    assert.deepEqual(await runway(["diff", next], { env }), { code: EXIT.ok, out: "", err: "" });
    const again = await runway(["push", "-"], { env, input: SAMPLE_YAML.replaceAll("api", "api-v2") });
    assert.match(again.out, /^Nothing changed: version 2/);
  });

  it("waits for the fleet, and says who has not applied it", async (test) => {
    const fleet = new SampleFleet(sampleNode("a"), sampleNode("b"));
    const url = await controlPlane(test, fleet);
    const empty = await file("empty.yaml", "routes: []\n");
    const whole = await runway(["push", empty, "--wait", "1s", "--admin", url]);
    assert.equal(whole.code, EXIT.ok);
    assert.match(whole.out, /Applied by 2 of 2 connected nodes; the slowest, b, after 13 ms/);
    fleet.missing = ["b"];
    const part = await runway(["push", empty, "--wait", "--admin", url]);
    assert.equal(part.code, EXIT.failed);
    assert.match(part.out, /Applied by 1 of 2.*\nNot applied by:\n {2}b \(pending\): no answer in time/);
  });

  it("tells invalid, refused and unreachable apart by exit code", async (test) => {
    const desk = new SampleDesk();
    const url = await controlPlane(test, new SampleFleet(), desk);
    const bad = await runway(["push", await file("wrong.yaml", "routes: 7\nlisteners: 8\n"), "--admin", url]);
    assert.equal(bad.code, EXIT.invalid);
    assert.match(bad.err, /line 1: routes: .*\n.*line 2: listeners: /);
    desk.refusal = "cannot listen on 127.0.0.1:8080: address already in use";
    const refused = await runway(["push", await file("fine.yaml", SAMPLE_YAML), "--admin", url]);
    assert.equal(refused.code, EXIT.refused);
    assert.match(refused.err, /listener:http: cannot listen/);
    const away = await runway(["nodes", "--admin", "http://127.0.0.1:1"]);
    assert.equal(away.code, EXIT.unreachable);
    assert.match(away.err, /cannot be reached.*--admin.*RUNWAY_ADMIN_URL/s);
    assert.equal((await runway(["nodes", "--admin", "nonsense"])).code, EXIT.usage);
  });
});

describe("runway nodes and status", () => {
  it("lists nodes as a table without what a terminal would obey, and as the API's own JSON", async (test) => {
    const problems = [{ path: "", message: "address already in use" }];
    const fleet = new SampleFleet(
      sampleNode("a", { hostname: "host\u001b[2J-1" }),
      sampleNode("b", { status: "stale", inSync: false, refused: { version: 2, problems } }),
    );
    const url = await controlPlane(test, fleet);
    const table = await runway(["nodes", "--admin", url]);
    assert.equal(table.code, EXIT.ok);
    assert.ok(!table.out.includes("\u001b"));
    assert.match(table.out, /^a +connected +v1 +yes /m);
    assert.match(table.out, /^b +stale +v1 +refuses v2 /m);
    assert.match(table.out, /^b refuses version 2: address already in use$/m);
    const json = await runway(["nodes", "--json", "--admin", url]);
    assert.equal(json.out, await (await fetch(`${url}/cluster/nodes`)).text());
    assert.match(json.out, /"config_hash":18446744073709551615,/);
  });

  it("shows a node of any role and says by exit code whether it is ready", async (test) => {
    const control = await runway(["status", "--admin", await controlPlane(test)]);
    assert.equal(control.code, EXIT.ok);
    assert.match(control.out, /^role: +control_plane, runway 0\.1\.0/m);
    assert.match(control.out, /^configuration: +version 1, [0-9a-f]{16}, from init/m);
    const gateway = new SampleGateway();
    gateway.drain();
    const node = { status: () => ({ ...SAMPLE_DATA_PLANE, connected: false, lastError: "connection refused" }) };
    const server = await startAdmin({ ...sharedViews(gateway), role: "data_plane", node });
    test.after(() => server.stop(AbortSignal.timeout(1_000)));
    const data = await runway(["status", "--admin", server.url]);
    assert.equal(data.code, EXIT.failed);
    assert.match(data.out, /^ready: +no: server is draining$/m);
    assert.match(data.out, /^control plane: +not connected to cp\.example\.com:9443$/m);
    assert.match(data.out, /^last error: +connection refused$/m);
    const json = await runway(["status", "--json", "--admin", server.url]);
    assert.match(json.out, /"config_hash":12345678901234567,/);
    assert.deepEqual(Object.keys(JSON.parse(json.out)), ["health", "ready", "stats", "cluster"]);
  });
});

describe("runway routes", () => {
  it("explains which route answers a request, and says by exit code whether one does", async (test) => {
    const url = await controlPlane(test);
    const args = ["routes", "explain", "PUT", "https://a.test/x?y=1&z", "-H", "X-A: 1", "-H", "X-B: 2", "--admin", url];
    const explained = await runway(args);
    assert.equal(explained.code, EXIT.failed);
    assert.match(explained.out, /^No route answers; POST would be answered\.$/m);
    assert.match(explained.out, /^api +path +PUT https:\/\/a\.test\/x\?y=1&z X-A: 1 X-B: 2$/m);
    assert.match(explained.out, /^and more: 7 by host$/m);
    assert.deepEqual(JSON.parse((await runway([...args, "--json"])).out).unlisted, { host: 7 });
  });
});

describe("runway pki", () => {
  it("makes an authority and certificates, and overwrites nothing unless forced", async () => {
    const dir = join(directory, "pki");
    assert.equal((await runway(["pki", "issue", "dp", "--node-id", "edge-1"])).code, EXIT.failed);
    assert.equal((await runway(["pki", "init"])).code, EXIT.ok);
    assert.equal((await runway(["pki", "issue", "cp", "--host", "localhost", "127.0.0.1"])).code, EXIT.ok);
    const issue = ["pki", "issue", "dp", "--node-id", "edge-1"];
    assert.match((await runway(issue)).out, /pki\/edge-1\.crt\n.*pki\/edge-1\.key/);
    for (const name of ["ca", "cp", "edge-1"]) assert.equal((await stat(join(dir, `${name}.key`))).mode & 0o777, 0o600);
    const second = await runway(issue);
    assert.equal(second.code, EXIT.refused);
    assert.match(second.err, /exists already.*--force/);
    assert.equal((await runway([...issue, "--force"])).code, EXIT.ok);
    assert.equal((await runway(["pki", "issue", "dp", "--node-id", "../evil"])).code, EXIT.usage);
  });
});
