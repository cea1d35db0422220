import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { runInProcess } from "../../src/app/testing.ts";
import { RunwayProcess } from "../support/runway-process.ts";

const READS = 5_000;
const CONNECTIONS = 100;

/** What came of attempts: how many got which status; 0 for a connection that was dropped. */
type Attempts = Record<string, number>;

/** Wrong tokens from one address, as fast as they are answered, until told to stop. */
async function flood(url: string, port: NonNullable<typeof parentPort>): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const attempts: Attempts = {};
  let stopped = false;
  port.once("message", () => {
    stopped = true;
  });
  const tryOften = async () => {
    while (!stopped) {
      const authorization = `Bearer rwy_${Math.random().toString(36).repeat(3)}`;
      const status = await ask(url, { agent, localAddress: "127.0.0.2", headers: { authorization } });
      attempts[status] = (attempts[status] ?? 0) + 1;
      if (Object.keys(attempts).length === 1 && attempts[status] === 1) port.postMessage("begun");
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, tryOften));
  agent.destroy();
  port.postMessage(attempts);
}

async function ask(url: string, options: object): Promise<number> {
  const asked = request(url, options).end();
  try {
    const [response] = await once(asked, "response");
    response.resume();
    await once(response, "end");
    return response.statusCode;
  } catch {
    return 0;
  }
}

if (!isMainThread && parentPort !== null) await flood(workerData as string, parentPort);
else
  describe("a flood of wrong tokens", () => {
    const directory = mkdtempSync(join(tmpdir(), "runway-flood-"));
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    let node: RunwayProcess;
    let url: string;
    let token: string;

    before(async () => {
      const tokens = join(directory, "tokens.yaml");
      token = (await runInProcess(["token", "create", "reader", "--role", "viewer", "--file", tokens])).out.trim();
      const file = join(directory, "runway.yaml");
      writeFileSync(file, `admin: { port: 0, require_authentication: true, tokens_file: ${tokens} }\nworkers: 1\n`);
      node = new RunwayProcess(file);
      url = `http://${(await node.logged("The admin API is listening")).address}/stats`;
    });
    after(async () => {
      agent.destroy();
      await node?.end("SIGKILL");
      rmSync(directory, { recursive: true, force: true });
    });

    /** Of reads one after the other, in ms. Each has to be answered. */
    async function medianOfReads(): Promise<number> {
      const times: number[] = [];
      for (let count = 0; count < READS; count += 1) {
        const begun = performance.now();
        assert.equal(await ask(url, { agent, headers: { authorization: `Bearer ${token}` } }), 200);
        times.push(performance.now() - begun);
      }
      return times.toSorted((a, b) => a - b)[READS / 2]!;
    }

    it("is slowed down, while who has a right token reads on", async (test) => {
      await medianOfReads(); // What a process does first is slow.
      const quiet = await medianOfReads();
      const attacker = new Worker(fileURLToPath(import.meta.url), { workerData: url });
      await once(attacker, "message");
      const begun = performance.now();
      const flooded = await medianOfReads();
      const seconds = (performance.now() - begun) / 1_000;
      const ended = once(attacker, "message");
      attacker.postMessage("stop");
      const [attempts] = (await ended) as [Attempts];
      await attacker.terminate();
      const looked = attempts[401] ?? 0;
      const all = Object.values(attempts).reduce((sum, count) => sum + count, 0);
      test.diagnostic(
        `${all} wrong tokens in ${seconds.toFixed(1)} s over ${CONNECTIONS} connections: ${JSON.stringify(attempts)}. ` +
          `Others' reads took ${flooded.toFixed(2)} ms (median of ${READS}), ${quiet.toFixed(2)} ms without: ${(flooded / quiet).toFixed(2)} times.`,
      );
      // Ten are free, those that are under way meanwhile too, and one more each five seconds.
      assert.ok(looked <= 10 + CONNECTIONS + (seconds + 60) / 5, `${looked} were looked at`);
      assert.ok((attempts[429] ?? 0) + (attempts[0] ?? 0) > 0, "the others were held back or dropped");
      assert.equal(attempts[200], undefined);
    });
  });
