import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { controlPlaneViews, sharedViews, startAdmin } from "../admin/testing.ts";
import { EXIT } from "./exit-codes.ts";
import { runInProcess } from "./testing.ts";
import { parseTokens } from "./tokens/tokens-file.ts";

describe("runway token", () => {
  const views = { ...sharedViews(), ...controlPlaneViews() };
  let directory: string;
  let open: Awaited<ReturnType<typeof startAdmin>>;
  let closed: Awaited<ReturnType<typeof startAdmin>>;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "runway-token-"));
    open = await startAdmin(views);
    closed = await startAdmin(views, { admin: { require_authentication: true } });
  });
  after(async () => {
    await open.stop(AbortSignal.timeout(1_000));
    await closed.stop(AbortSignal.timeout(1_000));
    await rm(directory, { recursive: true });
  });

  it("makes a token on loopback, which then opens what asks for one, until it is revoked", async () => {
    const made = await runInProcess(["token", "create", "ci", "--role", "administrator", "--admin", open.url]);
    assert.equal(made.code, EXIT.ok, made.err);
    const secret = made.out.trim();
    assert.match(secret, /^rwy_[\w-]{43}$/);
    const without = await runInProcess(["token", "list", "--admin", closed.url]);
    assert.equal(without.code, EXIT.refused);
    assert.match(without.err, /has to say who it is.*Authorization/s);

    const env = { RUNWAY_TOKEN: secret };
    const list = await runInProcess(["token", "list", "--admin", closed.url], { env });
    assert.match(list.out, /ci +administrator +valid +anonymous@127\.0\.0\.1 +never/);
    const file = join(directory, "ci.token");
    await writeFile(file, made.out);
    const id = /^[0-9a-f]{16}/m.exec(list.out)![0];
    const revoked = await runInProcess(["token", "revoke", id, "--admin", closed.url, "--token-file", file]);
    assert.deepEqual([revoked.code, revoked.out], [EXIT.ok, "The token of ci is revoked.\n"]);
    assert.match((await runInProcess(["export", "--admin", closed.url], { env })).err, /was revoked/);
  });

  it("adds a token to a file that nobody else may read, which holds no secret", async () => {
    const file = join(directory, "tokens.yaml");
    for (const name of ["prometheus", "root"]) {
      const { code, out } = await runInProcess(["token", "create", name, "--expires-in", "8760h", "--file", file]);
      assert.equal(code, EXIT.ok);
      assert.ok(!(await readFile(file, "utf8")).includes(out.trim()));
    }
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    const tokens = parseTokens(await readFile(file, "utf8"));
    assert.ok(tokens.ok);
    assert.deepEqual(
      tokens.value.map(({ name, role, expiresAt }) => [name, role, expiresAt! > Date.now()]),
      [
        ["prometheus", "viewer", true],
        ["root", "viewer", true],
      ],
    );
  });

  it("leaves a file alone that is no file of tokens", async () => {
    const file = join(directory, "other.yaml");
    await writeFile(file, "tokens: [{ name: x }]\n");
    const { code, err } = await runInProcess(["token", "create", "x", "--file", file]);
    assert.equal(code, EXIT.invalid);
    assert.match(err, /tokens\[0\]\.secret_hash/);
    assert.equal(await readFile(file, "utf8"), "tokens: [{ name: x }]\n");
  });
});
