import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import {
  controlPlaneViews,
  SAMPLE_DATA_PLANE,
  SampleDesk,
  SampleFleet,
  sampleNode,
  sharedViews,
  startAdmin,
} from "./testing.ts";

async function started(test: TestContext, views: Parameters<typeof startAdmin>[0]) {
  const server = await startAdmin(views);
  test.after(() => server.stop(AbortSignal.timeout(1_000)));
  return async (method: string, path: string) => {
    const answer = await fetch(server.url + path, { method });
    return { status: answer.status, json: (await answer.json()) as Record<string, unknown> };
  };
}

describe("what a node is asked through its own admin API", () => {
  const dataPlane = { role: "data_plane", node: { status: () => SAMPLE_DATA_PLANE } } as const;

  it("is its log level, for a while", async (test) => {
    const ask = await started(test, { ...sharedViews(), ...dataPlane });
    assert.deepEqual((await ask("GET", "/log-level")).json, { level: "info", configured: "info", until: null });
    const set = await ask("PUT", "/log-level?level=debug&for=10m");
    assert.deepEqual(set.json, { level: "debug", configured: "info", until: "2026-02-25T10:40:00.000Z" });
    assert.equal((await ask("DELETE", "/log-level")).json.level, "info");
  });

  it("is refused with what is wrong with it", async (test) => {
    const ask = await started(test, { ...sharedViews(), ...dataPlane });
    const { status, json } = await ask("PUT", "/log-level?level=loud&for=25h");
    assert.equal(status, 400);
    assert.deepEqual(
      (json.problems as { path: string }[]).map(({ path }) => path),
      ["level", "for"],
    );
  });

  it("is what it runs, counted, with the secrets that it refers to and none of their values", async (test) => {
    const ask = await started(test, { ...sharedViews(), ...dataPlane });
    assert.deepEqual((await ask("GET", "/configuration")).json, {
      epoch: "5a3f01c2-0000",
      version: 3,
      hash_hex: "00000000000000ff",
      resources: { route: 1, settings: 1 },
      secret_references: [{ kind: "settings", id: "jwt", reference: "${env:JWT}" }],
    });
    const { json } = await ask("GET", "/configuration?kind=route");
    assert.deepEqual([json.data, json.data_total], [[{ id: "api", hidden: true }], 1]);
  });

  it("is to close its doors after a delay while it drains", async (test) => {
    const ask = await started(test, { ...sharedViews(), ...dataPlane });
    await ask("POST", "/drain");
    assert.equal((await ask("GET", "/drain")).json.accepts_connections, true);
    await ask("POST", "/drain?delay=0s");
    assert.equal((await ask("GET", "/drain")).json.accepts_connections, false);
  });

  it("is no resync where no control plane gives the configuration", async (test) => {
    const desk = new SampleDesk();
    const ask = await started(test, { ...sharedViews(), role: "standalone", reload: desk });
    assert.equal((await ask("POST", "/resync")).status, 404);
  });
});

describe("what a control plane has its nodes asked", () => {
  const fleet = new SampleFleet(sampleNode("dp-1"), sampleNode("dp-2", { status: "offline" }));

  it("reaches the node with its parameters", async (test) => {
    const ask = await started(test, { ...sharedViews(), ...controlPlaneViews(new SampleDesk(), fleet) });
    assert.deepEqual((await ask("POST", "/api/v1/data-planes/dp-1/drain?delay=30s")).json, {
      node_id: "dp-1",
      asked: "drain",
      delay: "30s",
    });
    assert.equal((await ask("GET", "/api/v1/data-planes/dp-1/explain?url=/x")).json.asked, "explain");
  });

  it("is refused here where the parameters are wrong, and where the node is not there", async (test) => {
    const ask = await started(test, { ...sharedViews(), ...controlPlaneViews(new SampleDesk(), fleet) });
    assert.equal((await ask("POST", "/api/v1/data-planes/dp-1/drain?delay=soon")).status, 400);
    assert.equal((await ask("POST", "/api/v1/data-planes/dp-2/drain")).json.code, "RW_NODE_NOT_CONNECTED");
    assert.equal((await ask("POST", "/api/v1/data-planes/dp-3/drain")).status, 404);
  });
});
