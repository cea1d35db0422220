import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { access, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { setTimeout as pause } from "node:timers/promises";

const MAIN = new URL("../main.ts", import.meta.url).pathname;
const DEADLINE_MS = 40_000;

/** The real `runway up` with what it has printed so far. */
class Up {
  readonly child: ChildProcess;
  readonly #exit: Promise<unknown[]>;
  output = "";

  constructor(test: TestContext, directory: string, ...args: string[]) {
    this.child = spawn(
      process.execPath,
      ["--disable-warning=ExperimentalWarning", MAIN, "up", "--dir", directory, ...args],
      {
        stdio: ["ignore", "pipe", "pipe"],
      },
    );
    const keep = (chunk: Buffer) => {
      this.output += chunk;
    };
    this.child.stdout!.on("data", keep);
    this.child.stderr!.on("data", keep);
    this.#exit = once(this.child, "exit");
    test.after(() => this.child.kill("SIGKILL"));
  }

  /** Waits until it has printed something that fits. */
  async printed(pattern: RegExp): Promise<RegExpExecArray> {
    return until(`output ${pattern}`, () => {
      const match = pattern.exec(this.output);
      if (match === null && this.child.exitCode !== null) throw new Error(`it ended: ${this.output}`);
      return match ?? undefined;
    });
  }

  /** Process ids as its table shows them. */
  async pids(): Promise<{ [name: string]: number }> {
    await this.printed(/Ctrl-C stops everything/);
    const rows = this.output.matchAll(/^(origin|control plane|dp-1|dp-2) +(\d+) /gm);
    return Object.fromEntries([...rows].map(([, name, pid]) => [name, Number(pid)]));
  }

  async exitCode(): Promise<unknown> {
    return (await this.#exit)[0];
  }
}

async function until<T>(what: string, probe: () => T | undefined | Promise<T | undefined>): Promise<T> {
  const end = performance.now() + DEADLINE_MS;
  while (performance.now() < end) {
    const found = await probe();
    if (found !== undefined) return found;
    await pause(50);
  }
  throw new Error(`${what} did not come within ${DEADLINE_MS} ms`);
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function temporaryDirectory(test: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "runway-up-test-"));
  test.after(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

describe("runway up", () => {
  it("serves traffic, notices that the control plane was killed, and stops everything when told", async (test) => {
    const directory = await temporaryDirectory(test);
    const up = new Up(test, directory);
    const pids = await up.pids();
    assert.deepEqual(Object.keys(pids), ["origin", "control plane", "dp-1", "dp-2"]);
    const [, proxy] = await up.printed(/^dp-2 +\d+ +(\S+)/m);
    process.kill(pids["control plane"]!, "SIGKILL");
    await up.printed(/control-plane \(pid \d+\) was killed by SIGKILL/);
    assert.equal((await fetch(`${proxy}/hello`)).status, 200);
    up.child.kill("SIGTERM");
    assert.equal(await up.exitCode(), 0);
    assert.match(up.output, /dp-1 .*dp-2 .* answered, 0 failed/);
    assert.deepEqual(Object.values(pids).filter(isAlive), []);
    await access(join(directory, "control-plane.yaml"));
  });

  it("leaves no process behind when it is killed itself", async (test) => {
    const up = new Up(test, await temporaryDirectory(test));
    const pids = Object.values(await up.pids());
    assert.equal(pids.length, 4);
    up.child.kill("SIGKILL");
    await until("the end of all members", () => (pids.some(isAlive) ? undefined : true));
  });

  it("starts nothing more once it was told to stop, and stops what it had started", async (test) => {
    const up = new Up(test, await temporaryDirectory(test));
    await up.printed(/Starting/);
    up.child.kill("SIGTERM");
    assert.equal(await up.exitCode(), 0);
    assert.doesNotMatch(up.output, /Ctrl-C/);
  });

  it("says who did not start and why, stops the others, and fails", async (test) => {
    const directory = await temporaryDirectory(test);
    await writeFile(join(directory, "control-plane"), "a file where a directory has to be");
    const up = new Up(test, directory, "--for", "1m");
    assert.equal(await up.exitCode(), 1);
    assert.match(up.output, /control-plane did not start\. It said last:\n.+/);
  });
});
