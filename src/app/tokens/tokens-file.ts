import { randomBytes } from "node:crypto";
import { chmod, readFile, rename, writeFile } from "node:fs/promises";
import { z } from "zod";
import { createSecret, hashSecret } from "../../admin/access/token-secret.ts";
import { ADMIN_ROLES, type AdminRole } from "../../config/node-settings.ts";
import { type Checked, checked } from "../../config/problem.ts";
import { renderYaml } from "../../config/render-document.ts";
import { checkShape } from "../../config/shape.ts";
import type { Token } from "../../config/token-store.ts";
import { readYaml } from "../../config/yaml.ts";

/*
 * A file of tokens, for nodes without a store and for the first token of a control plane. It holds hashes, never secrets.
 */
const TokensFile = z.strictObject({
  tokens: z
    .array(
      z.strictObject({
        name: z.string().min(1).max(128),
        role: z.enum(ADMIN_ROLES),
        secret_hash: z.string().regex(/^[0-9a-f]{64}$/, "must be 64 hexadecimal digits"),
        expires_at: z.iso.datetime({ error: "must be a time such as 2027-01-31T00:00:00Z" }).optional(),
      }),
    )
    .max(1_000)
    .default([]),
});

export function parseTokens(text: string): Checked<readonly Token[]> {
  const root = text.trim() === "" ? checked({}) : readYaml(text);
  if (!root.ok) return root;
  const shape = checkShape(TokensFile, root.value);
  if (!shape.ok) return shape;
  return checked(
    shape.value.tokens.map(({ name, role, secret_hash, expires_at }) => ({
      id: secret_hash.slice(0, 16),
      name,
      role,
      secretHash: secret_hash,
      createdAt: 0,
      createdBy: "file",
      ...(expires_at === undefined ? {} : { expiresAt: Date.parse(expires_at) }),
    })),
  );
}

export interface NewToken {
  readonly name: string;
  readonly role: AdminRole;
  readonly expiresAtMs: number | undefined;
}

/** Adds a token to the file, making it when it is not there; answers the secret, or what is wrong with the file. */
export async function addToken(path: string, { name, role, expiresAtMs }: NewToken): Promise<Checked<string>> {
  const before = parseTokens(await readOrEmpty(path));
  if (!before.ok) return before;
  const secret = createSecret();
  const added = {
    name,
    role,
    secretHash: hashSecret(secret)!,
    ...(expiresAtMs === undefined ? {} : { expiresAt: expiresAtMs }),
  };
  const tokens = [...before.value, added].map(({ name, role, secretHash, expiresAt }) => ({
    name,
    role,
    secret_hash: secretHash,
    ...(expiresAt === undefined ? {} : { expires_at: new Date(expiresAt).toISOString() }),
  }));
  const draft = `${path}.${randomBytes(4).toString("hex")}`;
  await writeFile(draft, renderYaml({ tokens }), { mode: 0o600 });
  await chmod(draft, 0o600);
  await rename(draft, path);
  return checked(secret);
}

async function readOrEmpty(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return "";
    throw error;
  }
}
