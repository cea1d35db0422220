import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { Cluster } from "../support/cluster.ts";
import { eventually } from "../support/eventually.ts";
import { startOrigin } from "../support/origin.ts";

const APPLIES = 50;

describe("a data plane that is killed at random moments of an apply", () => {
  it(`always starts again on a complete configuration (${APPLIES} applies)`, async () => {
    await using origin = await startOrigin();
    // Every version has all of its routes named after it, so that a mixture of two versions is seen.
    const document = (generation: number) => {
      const ids = Array.from({ length: 20 }, (_, number) => `g${generation}-${number}`);
      return `routes:\n${ids.map((id) => `  - { id: ${id}, path: /${id}, backends: [{ url: ${origin.url} }] }\n`).join("")}`;
    };
    await using cluster = await Cluster.start(`workers: 0\n${document(0)}`, 1);
    const [member] = cluster.dataPlanes as [(typeof cluster.dataPlanes)[0]];
    await cluster.inSync();

    for (let generation = 1; generation <= APPLIES; generation += 1) {
      assert.equal((await cluster.push(document(generation))).status, 200);
      await pause(Math.random() * 60); // The random moment: during transfer, compile, the write to disk or the swap.
      await member.restart("SIGKILL");
      await member.ready();
      const served = await servedGeneration();
      assert.ok(
        served === generation || served === generation - 1,
        `after generation ${generation} it serves ${served}`,
      );
      // The next kill has to hit a node that is level, or the choice would be between more than two generations.
      await eventually("it is level", async () => (await servedGeneration()) === generation);
    }

    /** The generation that the node serves. A swap may come between looking and asking; then there is a newer one to ask. */
    async function servedGeneration(): Promise<number> {
      const listed = await listedGeneration();
      if ((await member.get(`/g${listed}-19`)).status === 200) return listed;
      const newer = await listedGeneration();
      assert.ok(newer > listed, `generation ${listed} is listed and not served`);
      assert.equal((await member.get(`/g${newer}-19`)).status, 200);
      return newer;
    }

    /** The generation of every route that the node has; fails when there are several. */
    async function listedGeneration(): Promise<number> {
      const routes = (await (await member.admin("/routes")).json()) as { id: string }[];
      const generations = new Set(routes.map(({ id }) => id.split("-")[0]));
      assert.equal(routes.length, 20);
      assert.equal(generations.size, 1, `a mixture: ${[...generations]}`);
      return Number([...generations][0]!.slice(1));
    }
  });
});
