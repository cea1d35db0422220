import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";
import { eventually } from "../support/eventually.ts";
import { freePort } from "../support/free-port.ts";
import { PROGRAM, RunwayProcess } from "../support/runway-process.ts";

const GUIDE = readFileSync(new URL("../../docs/guides/run-a-cluster.md", import.meta.url), "utf8");
/** The ports that the guide names, which are somebody else's here. */
const PORTS = ["9443", "8080", "8081", "8083"] as const;

describe("the guide to a cluster, followed word for word in an empty folder", () => {
  const folder = mkdtempSync(join(tmpdir(), "runway-cluster-guide-"));
  const processes: RunwayProcess[] = [];
  const own = new Map<string, string>();
  before(async () => {
    for (const port of PORTS) own.set(port, String(await freePort()));
    for (const [, name, text] of GUIDE.matchAll(/^```yaml ([\w.-]+)\n([\s\S]*?)^```$/gm))
      writeFileSync(join(folder, name!), withOwnPorts(text!));
    // The one that the guide leaves at its default.
    const file = join(folder, "control-plane.yaml");
    writeFileSync(file, `${readFileSync(file, "utf8")}admin: { port: ${own.get("8081")} }\n`);
  });
  after(async () => {
    await Promise.all(processes.map((process) => process.end("SIGKILL")));
    rmSync(folder, { recursive: true, force: true });
  });

  const withOwnPorts = (text: string) => text.replace(/\b(9443|808[013])\b/g, (port) => own.get(port)!);

  /** A line of the guide, which has to be in it. What it prints, where it succeeds. */
  async function say(line: string): Promise<string> {
    assert.ok(GUIDE.includes(`\n${line}`), `the guide does not say ${line}`);
    const [program, ...args] = withOwnPorts(line.replace(/ +#.*/, "")).match(/"[^"]*"|\S+/g)!;
    assert.equal(program, "runway");
    const words = args.map((arg) => arg.replaceAll('"', ""));
    const env = { ...process.env, RUNWAY_ADMIN_URL: withOwnPorts("http://127.0.0.1:8081") };
    return (await promisify(execFile)(PROGRAM, words, { cwd: folder, env })).stdout;
  }

  async function run(name: string): Promise<RunwayProcess> {
    assert.ok(GUIDE.includes(`\nrunway run -c ${name}`));
    const node = new RunwayProcess(name, {}, folder);
    processes.push(node);
    await node.logged("Runway is running");
    return node;
  }

  const hello = async () => (await fetch(withOwnPorts("http://127.0.0.1:8080/hello"))).text();

  it("comes to a cluster that serves, and a data plane that needs nobody", async () => {
    await say("runway pki init");
    await say("runway pki issue cp --host localhost");
    await say("runway pki issue dp --node-id dp-1");
    const controlPlane = await run("control-plane.yaml");
    const dataPlane = await run("data-plane.yaml");
    await eventually("the node is there", async () => /dp-1 +connected +v1 +yes/.test(await say("runway nodes")));
    const pushed = await say('runway push gateway.yaml --wait -m "the first route"');
    assert.match(
      pushed,
      /Version 2 has 2 changes:\n.*\+ listener:http\n.*\+ route:hello\nApplied by 1 of 1 connected/s,
    );
    assert.equal(await hello(), "Hello.\n");
    assert.equal(await say("runway diff gateway.yaml"), "");
    assert.match(await say("runway history"), /2 .*admin-api +the first route\n1 /);
    assert.match(await say("runway rollback 1 --dry-run"), /^Version 3 would have 2 changes:\n/);
    await controlPlane.end();
    await dataPlane.end();
    const alone = await run("data-plane.yaml");
    assert.equal(await hello(), "Hello.\n");
    assert.match(await say("runway status --admin http://127.0.0.1:8083"), /not connected to localhost/);
    await run("control-plane.yaml");
    await alone.logged("Connected to the control plane");
  });
});
