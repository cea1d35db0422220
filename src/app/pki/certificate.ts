// The library needs the reflection polyfill to be there before it is loaded.
import "reflect-metadata";
import { createPrivateKey, type KeyObject, randomBytes, webcrypto } from "node:crypto";
import { isIP } from "node:net";
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type Extension,
  type JsonGeneralNames,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  PublicKey,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  type X509CertificateCreateWithKeyParams,
  X509CertificateGenerator,
} from "@peculiar/x509";

const KEY = { name: "ECDSA", namedCurve: "P-256" } as const;
const SIGNATURE = { name: "ECDSA", hash: "SHA-256" } as const;
const SIGNING: Readonly<Record<string, { readonly name: string; readonly hash: string }>> = {
  ec: SIGNATURE,
  rsa: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" },
};
/** As Web Crypto calls what OpenSSL calls otherwise. */
const CURVES: Readonly<Record<string, string>> = { prime256v1: "P-256", secp384r1: "P-384", secp521r1: "P-521" };
const DAY_MS = 86_400_000;
/** Certificates begin to be valid a little earlier, for clocks that go slow. */
const CLOCK_TOLERANCE_MS = 5 * 60_000;
const { subtle } = webcrypto;

/** A certificate and its key, both PEM (the key PKCS #8). */
export interface KeyPair {
  readonly certificate: string;
  readonly key: string;
}

interface Validity {
  readonly days: number;
  /** Milliseconds since 1970; now when not given. */
  readonly nowMs?: number;
}

/** Names of hosts and IP addresses under which a control plane is reached. */
export interface ControlPlaneRequest extends Validity {
  readonly hosts: readonly string[];
}

/** The node for which a data plane's certificate speaks: `spiffe://<trust domain>/node/<id>`. */
export interface DataPlaneRequest extends Validity {
  readonly nodeId: string;
  readonly trustDomain: string;
}

/** A new certificate authority, self-signed, that may sign certificates of nodes and no further authorities. */
export async function createAuthority({ days, nowMs }: Validity): Promise<KeyPair> {
  const keys = await subtle.generateKey(KEY, true, ["sign", "verify"]);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: "CN=runway certificate authority",
    ...validity(days, nowMs),
    signingAlgorithm: SIGNATURE,
    keys,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate: pem(certificate), key: await keyPem(keys.privateKey) };
}

export function issueControlPlane(authority: KeyPair, { hosts, ...validity }: ControlPlaneRequest): Promise<KeyPair> {
  const names = hosts.map((value) => ({ type: isIP(value) === 0 ? ("dns" as const) : ("ip" as const), value }));
  return issue(authority, {
    ...validity,
    commonName: "runway control plane",
    names,
    usage: [ExtendedKeyUsage.serverAuth],
  });
}

export function issueDataPlane(authority: KeyPair, request: DataPlaneRequest): Promise<KeyPair> {
  const { nodeId, trustDomain, ...validity } = request;
  return issue(authority, { ...validity, ...nodeSubject({ nodeId, trustDomain }) });
}

/** A certificate for a key that is somebody else's. Times are milliseconds since 1970. */
export interface NodeCertificateRequest {
  readonly publicKey: KeyObject;
  readonly nodeId: string;
  readonly trustDomain: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/** The certificate of a data plane that keeps its key to itself. PEM. */
export function certifyNode(authority: KeyPair, request: NodeCertificateRequest): Promise<string> {
  const { publicKey, notBeforeMs, notAfterMs } = request;
  return certify(authority, {
    ...nodeSubject(request),
    publicKey: publicKey.export({ type: "spki", format: "der" }),
    validity: { notBefore: new Date(notBeforeMs), notAfter: new Date(notAfterMs) },
  });
}

interface Subject {
  readonly commonName: string;
  readonly names: JsonGeneralNames;
  readonly usage: ExtendedKeyUsage[];
}

function nodeSubject({ nodeId, trustDomain }: Pick<DataPlaneRequest, "nodeId" | "trustDomain">): Subject {
  return {
    commonName: "runway data plane",
    names: [{ type: "url", value: `spiffe://${trustDomain}/node/${nodeId}` }],
    usage: [ExtendedKeyUsage.clientAuth],
  };
}

async function issue(authority: KeyPair, { days, nowMs, ...subject }: Subject & Validity): Promise<KeyPair> {
  const keys = await subtle.generateKey(KEY, true, ["sign", "verify"]);
  const publicKey = await subtle.exportKey("spki", keys.publicKey);
  const certificate = await certify(authority, { ...subject, publicKey, validity: validity(days, nowMs) });
  return { certificate, key: await keyPem(keys.privateKey) };
}

interface Certified extends Subject {
  /** DER, SubjectPublicKeyInfo. */
  readonly publicKey: ArrayBuffer | Uint8Array<ArrayBuffer>;
  readonly validity: { readonly notBefore: Date; readonly notAfter: Date };
}

async function certify(authority: KeyPair, certified: Certified): Promise<string> {
  const { commonName, names, usage, validity } = certified;
  const issuer = new X509Certificate(authority.certificate);
  const publicKey = new PublicKey(certified.publicKey);
  const extensions: Extension[] = [
    new BasicConstraintsExtension(false, undefined, true),
    new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
    new ExtendedKeyUsageExtension(usage),
    new SubjectAlternativeNameExtension(names),
    await SubjectKeyIdentifierExtension.create(publicKey),
    await AuthorityKeyIdentifierExtension.create(issuer),
  ];
  const certificate = await X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: `CN=${commonName}`,
    issuer: issuer.subjectName,
    ...validity,
    ...signerOf(authority.key),
    publicKey,
    extensions,
  });
  return pem(certificate);
}

/** ECDSA as `createAuthority` makes it, or the RSA of an authority from elsewhere. */
function signerOf(pem: string): Pick<X509CertificateCreateWithKeyParams, "signingKey" | "signingAlgorithm"> {
  const key = createPrivateKey(pem);
  const algorithm = SIGNING[key.asymmetricKeyType ?? ""];
  if (algorithm === undefined) throw new Error(`an authority cannot sign with a key of type ${key.asymmetricKeyType}`);
  const named = { ...algorithm, namedCurve: CURVES[key.asymmetricKeyDetails?.namedCurve ?? ""] ?? KEY.namedCurve };
  return { signingKey: key.toCryptoKey(named, false, ["sign"]), signingAlgorithm: algorithm };
}

/** 16 random octets, positive and not zero (RFC 5280 §4.1.2.2). */
function serialNumber(): string {
  const octets = randomBytes(16);
  octets[0] = (octets[0]! & 0x7f) | 0x40;
  return octets.toString("hex");
}

function validity(days: number, nowMs = Date.now()): { notBefore: Date; notAfter: Date } {
  return { notBefore: new Date(nowMs - CLOCK_TOLERANCE_MS), notAfter: new Date(nowMs + days * DAY_MS) };
}

function pem(certificate: X509Certificate): string {
  return `${certificate.toString("pem")}\n`;
}

async function keyPem(key: CryptoKey): Promise<string> {
  return `${PemConverter.encode(await subtle.exportKey("pkcs8", key), "PRIVATE KEY")}\n`;
}
