import { createPrivateKey, webcrypto } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import "reflect-metadata";
import * as x509 from "@peculiar/x509";

x509.cryptoProvider.set(webcrypto as Crypto);

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;

interface IssueOptions {
  readonly commonName: string;
  /** Subject alternative names; a server at loopback needs none beyond the default. */
  readonly names?: readonly { readonly type: "dns" | "ip" | "url"; readonly value: string }[];
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  readonly serialNumber?: string;
}

/** What a program is configured with: the paths of its certificate and its key. */
export interface CertificateFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

/** A certificate authority of a test, which writes what it issues into a directory. */
export interface TestAuthority {
  readonly caFile: string;
  readonly caKeyFile: string;
  /** PEM. */
  readonly ca: string;
  issue(name: string, options: IssueOptions): Promise<CertificateFiles>;
}

export const LOOPBACK_NAMES = [
  { type: "dns", value: "localhost" },
  { type: "ip", value: "127.0.0.1" },
] as const;

const DAY_MS = 86_400_000;

export async function createAuthority(directory: string, commonName: string): Promise<TestAuthority> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
  const authority = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: "01",
    name: `CN=${commonName}`,
    notBefore: new Date(Date.now() - 30 * DAY_MS),
    notAfter: new Date(Date.now() + 30 * DAY_MS),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
    ],
  });
  const caFile = join(directory, `${commonName}-ca.crt`);
  const ca = `${authority.toString("pem")}\n`;
  writeFileSync(caFile, ca);
  const caKeyFile = join(directory, `${commonName}-ca.key`);
  await writeKey(caKeyFile, keys.privateKey);
  return {
    caFile,
    caKeyFile,
    ca,
    issue: (name, options) => issue(directory, name, options, authority, keys.privateKey),
  };
}

async function issue(
  directory: string,
  name: string,
  options: IssueOptions,
  authority: x509.X509Certificate,
  signingKey: webcrypto.CryptoKey,
): Promise<CertificateFiles> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: options.serialNumber ?? "02",
    subject: `CN=${options.commonName}`,
    issuer: authority.subject,
    notBefore: options.notBefore ?? new Date(Date.now() - DAY_MS),
    notAfter: options.notAfter ?? new Date(Date.now() + DAY_MS),
    signingAlgorithm: ALGORITHM,
    publicKey: keys.publicKey,
    signingKey,
    extensions: [
      new x509.SubjectAlternativeNameExtension([...(options.names ?? LOOPBACK_NAMES)]),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth]),
    ],
  });
  const files = { certFile: join(directory, `${name}.crt`), keyFile: join(directory, `${name}.key`) };
  writeFileSync(files.certFile, certificate.toString("pem"));
  await writeKey(files.keyFile, keys.privateKey);
  return files;
}

async function writeKey(file: string, privateKey: webcrypto.CryptoKey): Promise<void> {
  const key = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", privateKey));
  const pem = createPrivateKey({ key, format: "der", type: "pkcs8" }).export({ format: "pem", type: "pkcs8" });
  writeFileSync(file, pem, { mode: 0o600 });
}
