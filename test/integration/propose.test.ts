import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { describeChange } from "../../src/config/difference.ts";
import { describeProblem } from "../../src/config/problem.ts";
import { type Proposal, propose } from "../../src/config/propose.ts";
import { renderDocument } from "../../src/config/render-document.ts";
import { systemClock } from "../../src/core/clock.ts";
import { SqliteRevisionLog } from "../../src/store/sqlite/sqlite-revision-log.ts";
import { isFailure } from "../contract/revision-log.ts";

const DOCUMENT = `
listeners: [{ id: http, address: ":8080" }]
routes:
  - id: api
    path: /api
    upstream: orders
upstreams: { orders: { backends: [{ url: "http://orders:9000" }] } }
`;
const CLUSTER = "cluster: { role: control_plane }\nadmin: { port: 9000 }\nworkers: 2\n";

describe("propose", () => {
  let directory: string;
  let log: SqliteRevisionLog;
  const offer = (proposal: Partial<Proposal>) =>
    propose(log, { author: "ada", source: "admin-api", message: "", text: DOCUMENT, ...proposal } as Proposal);
  const committed = async (proposal: Partial<Proposal>) => {
    const result = await offer(proposal);
    assert.ok(result.ok, result.ok ? "" : result.problems.map(describeProblem).join());
    return result.value;
  };

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), "runway-propose-"));
    log = new SqliteRevisionLog({ directory, clock: systemClock });
    await log.open();
  });
  afterEach(async () => {
    await log.close();
    rmSync(directory, { recursive: true });
  });

  it("commits a document and tells what it changes", async () => {
    const { changes, revision } = await committed({ author: "ada", message: "hello" });
    assert.deepEqual(changes.map(describeChange), ["listener:http added", "route:api added", "upstream:orders added"]);
    assert.deepEqual([revision.version, revision.author, revision.message], [1, "ada", "hello"]);
  });

  it("takes a document with and without blocks of the node for the same", async () => {
    await committed({});
    assert.equal((await committed({ text: CLUSTER + DOCUMENT })).created, false);
  });

  it("makes no version of what it gave out itself", async () => {
    const { revision } = await committed({});
    assert.equal((await committed({ text: renderDocument(revision.resources) })).created, false);
  });

  it("tells every problem of a broken document, and changes nothing", async () => {
    await committed({});
    const result = await offer({ text: "routes: [{id: api, path: api, upstream: nowhere}]\nrouts: []" });
    assert.ok(!result.ok);
    assert.deepEqual(result.problems.map(describeProblem), [
      'line 1: routes[0].path: must start with "/" and have no query, fragment or space',
      "line 2: routs: unknown key `routs`; did you mean `routes`?",
    ]);
    assert.equal((await log.head())?.version, 1);
  });

  it("checks resources as it checks documents", async () => {
    const resources = [{ kind: "route", id: "a", spec: { path: "/", upstream: "nowhere" } }] as const;
    const result = await propose(log, { resources, author: "ada", source: "admin-api", message: "" });
    assert.ok(!result.ok);
    assert.deepEqual(result.problems.map(describeProblem), [
      'route:a: upstream: there is no upstream "nowhere"; add it under upstreams',
    ]);
    assert.equal(await log.head(), undefined);
  });

  it("only rehearses when asked to", async () => {
    const { changes, created, revision } = await committed({ dryRun: true });
    assert.deepEqual([changes.length, created, revision.version], [3, true, 1]);
    assert.equal(await log.head(), undefined);
  });

  it("does not overwrite a version that the author has not seen", async () => {
    await committed({ expectedVersion: 0 });
    await assert.rejects(offer({ text: "routes: []", expectedVersion: 0 }), isFailure("versionConflict"));
  });
});
