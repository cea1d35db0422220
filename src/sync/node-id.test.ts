import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { RunwayError } from "../core/failure.ts";
import { readNodeId } from "./node-id.ts";

const root = mkdtempSync(join(tmpdir(), "runway-node-id-"));
after(() => rmSync(root, { recursive: true, force: true }));

test("a node without a configured id makes a UUID once and keeps it", async () => {
  const directory = join(root, "made", "when-needed");
  const nodeId = await readNodeId(directory, "");
  assert.match(nodeId, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.equal(await readNodeId(directory, ""), nodeId);
  assert.equal(readFileSync(join(directory, "node_id"), "utf8"), nodeId);
  assert.equal(statSync(join(directory, "node_id")).mode & 0o777, 0o600);
  assert.equal(statSync(directory).mode & 0o777, 0o700);
});

test("white space around a kept id does not count", async () => {
  const directory = mkdtempSync(join(root, "b-"));
  writeFileSync(join(directory, "node_id"), " node-7\n");
  assert.equal(await readNodeId(directory, ""), "node-7");
});

test("a configured id wins and is not kept", async () => {
  const directory = mkdtempSync(join(root, "c-"));
  assert.equal(await readNodeId(directory, "dp-1"), "dp-1");
  assert.notEqual(await readNodeId(directory, ""), "dp-1");
});

test("an id that cannot be one is refused with where it comes from", async () => {
  const directory = mkdtempSync(join(root, "d-"));
  writeFileSync(join(directory, "node_id"), "../../etc");
  await assert.rejects(readNodeId(directory, ""), /node_id is not a node id/);
  await assert.rejects(readNodeId(directory, "a b"), /cluster\.data_plane\.node_id is not a node id/);
});

test("a place that cannot be written is an error that says what to do", async () => {
  writeFileSync(join(root, "a-file"), "");
  const place = join(root, "a-file", "directory");
  await assert.rejects(readNodeId(place, ""), (error) => {
    assert.ok(error instanceof RunwayError);
    assert.equal(error.kind, "storeUnavailable");
    return /set cluster\.data_plane\.node_id/.test(error.message);
  });
});
