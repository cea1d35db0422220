import type { KeyObject } from "node:crypto";
import { errors } from "jose";
import type { PluginHost } from "../../sdk/index.ts";
import { type Algorithm, type KeySource, publicKey, secretKey, usualAlgorithms } from "./key-source.ts";

interface ConsumerKey {
  readonly secret?: string;
  readonly public_key?: string;
  readonly algorithm?: Algorithm;
}

/**
 * The key of the consumer that the token says it is of. That is not believed thereby: with another's key it does not verify. The
 * consumer says how its tokens are signed, so that no public key passes for a secret (RFC 8725 §3.1).
 */
export function consumerKeys(idClaim: string, host: PluginHost): KeySource {
  const made = new WeakMap<object, KeyObject>();
  return async ({ alg = "" }, { payload }) => {
    const consumer = host.consumerByKey(claimOf(payload, idClaim));
    const credentials: ConsumerKey = consumer?.credentials ?? {};
    const { secret, public_key, algorithm } = credentials;
    const key =
      made.get(credentials) ?? (secret === undefined ? public_key && publicKey(public_key) : secretKey(secret));
    if (key === undefined || key === "") throw new errors.JWKSNoMatchingKey();
    made.set(credentials, key);
    const allowed: readonly string[] = algorithm === undefined ? usualAlgorithms(secret !== undefined) : [algorithm];
    if (!allowed.includes(alg)) throw new errors.JOSEAlgNotAllowed("the consumer signs in another way");
    return key;
  };
}

/** Of what nobody has verified yet. */
function claimOf(payload: string | Uint8Array, name: string): string {
  try {
    const claims = JSON.parse(Buffer.from(String(payload), "base64url").toString("utf8")) as Record<string, unknown>;
    return String(claims[name] ?? "");
  } catch {
    throw new errors.JWTInvalid("the claims are not JSON");
  }
}
