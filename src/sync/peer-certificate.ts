import { createHash, X509Certificate } from "node:crypto";
import { normalizeFingerprint, normalizeSerial } from "../config/revocation-list.ts";
import type { PeerCertificate } from "./connection.ts";

/** One name of Node's list `DNS:a, URI:"b"`; quoted as JSON where it holds a character that could mislead. */
const NAME = /([A-Za-z ]+):(?:"((?:[^"\\]|\\.)*)"|([^,"]*))(?:, |$)/y;

/** What the protocol needs to know of a certificate that TLS has verified. */
export function readPeerCertificate(certificate: X509Certificate): PeerCertificate {
  const key = certificate.publicKey.export({ type: "spki", format: "der" });
  return {
    der: Uint8Array.from(certificate.raw),
    subject: certificate.subject.replaceAll("\n", ", "),
    serialNumber: normalizeSerial(certificate.serialNumber) ?? certificate.serialNumber,
    fingerprint: normalizeFingerprint(certificate.fingerprint256)!,
    notBeforeMs: certificate.validFromDate.getTime(),
    notAfterMs: certificate.validToDate.getTime(),
    uriNames: readUriNames(certificate.subjectAltName ?? ""),
    keyFingerprint: createHash("sha256").update(key).digest("hex"),
  };
}

/** By one of them itself: who has certificates between is let in anew, when TLS sees them all. */
export function isSignedBy({ der }: PeerCertificate, authorities: readonly X509Certificate[]): boolean {
  const certificate = new X509Certificate(der);
  return authorities.some((one) => certificate.checkIssued(one) && certificate.verify(one.publicKey));
}

/**
 * Reads from one end to the other, so that text inside of one name cannot pass for another name.
 * @throws Error when the list is not understood: a certificate that we cannot read speaks for nobody
 */
export function readUriNames(list: string): readonly string[] {
  const uriNames: string[] = [];
  NAME.lastIndex = 0;
  while (NAME.lastIndex < list.length) {
    const [, type, quoted, plain] = NAME.exec(list) ?? [];
    if (type === undefined) throw new Error("the names of the certificate cannot be read");
    if (type === "URI") uriNames.push(quoted === undefined ? plain! : JSON.parse(`"${quoted}"`));
  }
  return uriNames;
}
