import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { silentLogger } from "../core/ports.ts";
import { FileIdentityLedger } from "./file-identity-ledger.ts";

const root = mkdtempSync(join(tmpdir(), "runway-ledger-"));
after(() => rmSync(root, { recursive: true, force: true }));

test("claims survive a restart and are readable by the owner alone", async () => {
  const directory = mkdtempSync(join(root, "a-"));
  const path = join(directory, "claims.json");
  const ledger = await FileIdentityLedger.open(path, silentLogger);
  for (let index = 0; index < 100; index += 1) ledger.claim(`n${index}`, "sha256:aa");
  ledger.forget("n0");
  assert.equal(ledger.ownerOf("n1"), "sha256:aa");
  await ledger.flushed();
  assert.deepEqual(readdirSync(directory), ["claims.json"]);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  const reopened = await FileIdentityLedger.open(path, silentLogger);
  assert.equal(reopened.nodeIds().length, 99);
  assert.deepEqual([reopened.ownerOf("n0"), reopened.ownerOf("n99")], [undefined, "sha256:aa"]);
});

test("a claim that is known already is not written again", async () => {
  const path = join(mkdtempSync(join(root, "b-")), "claims.json");
  const ledger = await FileIdentityLedger.open(path, silentLogger);
  ledger.claim("n1", "sha256:aa");
  await ledger.flushed();
  const { ino } = statSync(path);
  ledger.claim("n1", "sha256:aa");
  await ledger.flushed();
  assert.equal(statSync(path).ino, ino);
});

test("a damaged file is an error that says what to do", async () => {
  const path = join(mkdtempSync(join(root, "c-")), "claims.json");
  for (const content of ["{", '{"owners":{"a":1}}']) {
    writeFileSync(path, content);
    await assert.rejects(FileIdentityLedger.open(path, silentLogger), /Restore the file, or remove it/);
    assert.equal(readFileSync(path, "utf8"), content);
  }
});

test("a place that cannot be written is logged, and the claims count until the end of the process", async () => {
  const lines: string[] = [];
  const logger = { ...silentLogger, error: (message: string) => lines.push(message) };
  const ledger = await FileIdentityLedger.open(join(root, "missing", "claims.json"), logger);
  ledger.claim("n1", "sha256:aa");
  await ledger.flushed();
  assert.match(lines.join(), /will not survive a restart/);
  assert.equal(ledger.ownerOf("n1"), "sha256:aa");
});
