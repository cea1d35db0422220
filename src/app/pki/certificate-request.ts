import "reflect-metadata";
import { KeyObject, webcrypto } from "node:crypto";
import { PemConverter, Pkcs10CertificateRequest, Pkcs10CertificateRequestGenerator } from "@peculiar/x509";
import { RunwayError } from "../../core/failure.ts";

const KEY = { name: "ECDSA", namedCurve: "P-256" } as const;
const SIGNATURE = { name: "ECDSA", hash: "SHA-256" } as const;
const MIN_RSA_BITS = 2_048;

/** A new key, and the request to have it certified. Both PEM; the key (PKCS #8) is for this machine alone. */
export interface RequestWithKey {
  readonly request: string;
  readonly key: string;
}

/** Says nothing of who asks: that is known by other means to whoever signs it. */
export async function createRequest(): Promise<RequestWithKey> {
  const { subtle } = webcrypto;
  const keys = await subtle.generateKey(KEY, true, ["sign", "verify"]);
  const request = await Pkcs10CertificateRequestGenerator.create({
    name: "CN=runway data plane",
    keys,
    signingAlgorithm: SIGNATURE,
  });
  const key = PemConverter.encode(await subtle.exportKey("pkcs8", keys.privateKey), "PRIVATE KEY");
  return { request: `${request.toString("pem")}\n`, key: `${key}\n` };
}

/**
 * The key of a request, whose signature shows that whoever made it has the other half. Nothing else in it is believed.
 * @throws RunwayError joinRefused
 */
export async function requestedKey(pem: string): Promise<KeyObject> {
  try {
    const request = new Pkcs10CertificateRequest(pem);
    if (!(await request.verify())) throw new Error("its signature does not fit its key");
    const key = KeyObject.from(await request.publicKey.export());
    if (!isStrong(key)) throw new Error("its key is too weak");
    return key;
  } catch (cause) {
    throw new RunwayError("joinRefused", `the certificate request cannot be used: ${(cause as Error).message}`, {
      cause,
    });
  }
}

function isStrong({ asymmetricKeyType: type, asymmetricKeyDetails: details }: KeyObject): boolean {
  if (type === "rsa") return (details?.modulusLength ?? 0) >= MIN_RSA_BITS;
  return type === "ec" || type === "ed25519";
}
