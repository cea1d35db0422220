import { createPublicKey, createSecretKey, type KeyObject } from "node:crypto";
import { createLocalJWKSet, type JSONWebKeySet, type JWTVerifyGetKey } from "jose";

/** Finds the key for the head of a token. Rejects when there is none that may be used. */
export type KeySource = JWTVerifyGetKey;

const SYMMETRIC = ["HS256", "HS384", "HS512"] as const;
const ASYMMETRIC = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"] as const;
/** `none` is not among them, and never will be. */
export const ALGORITHMS = [...SYMMETRIC, ...ASYMMETRIC] as const;
export type Algorithm = (typeof ALGORITHMS)[number];

export function isSymmetric(algorithm: Algorithm): boolean {
  return (SYMMETRIC as readonly string[]).includes(algorithm);
}

/** What is accepted where nothing is said of it. */
export function usualAlgorithms(hasSecret: boolean): readonly Algorithm[] {
  return hasSecret ? ["HS256"] : ["RS256", "ES256", "EdDSA"];
}

export function secretKey(secret: string): KeyObject {
  return createSecretKey(Buffer.from(secret));
}

/** @throws Error when the text is no public key in PEM */
export function publicKey(pem: string): KeyObject {
  return createPublicKey(pem);
}

/** @throws Error when the octets are no set of keys (RFC 7517 §5), or have a key that should not be in anybody's hands */
export function readKeySet(octets: Buffer): KeySource {
  const set = JSON.parse(octets.toString("utf8")) as JSONWebKeySet;
  // A secret that is published protects nothing; taking it would let anybody sign.
  return createLocalJWKSet({ keys: set.keys.filter(({ kty, d }) => kty !== "oct" && d === undefined) });
}
