import { randomBytes, scrypt, timingSafeEqual } from "node:crypto";

/*
 * Passwords are kept as scrypt hashes (RFC 7914): `scrypt:N:r:p:salt:hash`, salt and hash in base64url. To check one costs tens of
 * milliseconds on purpose, in another thread.
 */

const COST = { N: 16_384, r: 8, p: 1 };
const HASH_BYTES = 32;
const MAX_MEMORY = 256 * 1_024 * 1_024;

export const PASSWORD_HASH = /^scrypt:(\d{1,8}):(\d{1,3}):(\d{1,3}):([\w-]{16,128}):([\w-]{43})$/;

/** The form in which passwords stand in a configuration. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16);
  const hash = await derive(password, salt, COST);
  return `scrypt:${COST.N}:${COST.r}:${COST.p}:${salt.toString("base64url")}:${hash.toString("base64url")}`;
}

/** Whether the hash is that of the password; compared in constant time. */
export async function isPassword(password: string, hashed: string): Promise<boolean> {
  const [, N, r, p, salt = "", hash = ""] = PASSWORD_HASH.exec(hashed) ?? [];
  if (N === undefined) return false;
  const cost = { N: Number(N), r: Number(r), p: Number(p) };
  const derived = await derive(password, Buffer.from(salt, "base64url"), cost);
  return timingSafeEqual(derived, Buffer.from(hash, "base64url"));
}

function derive(password: string, salt: Buffer, cost: typeof COST): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(password, salt, HASH_BYTES, { ...cost, maxmem: MAX_MEMORY }, (error, key) =>
      error === null ? resolve(key) : reject(error),
    );
  });
}
