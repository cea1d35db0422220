import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { isSecretReference } from "../secret-reference.ts";
import { type Check, problemOf } from "./check.ts";

/** What is written of a certificate and its key can be read, and the one belongs to the other. Files and references are read by the node. */
export const certificatePairs: Check = function* ({ certificates }) {
  for (const { id, cert, key } of certificates) {
    const certificate = isInline(cert) ? parsed(() => new X509Certificate(cert)) : undefined;
    if (certificate === UNREADABLE) yield problemOf("certificate", id, "cert", "is no certificate that can be read");
    const privateKey: KeyObject | typeof UNREADABLE | undefined = isInline(key)
      ? parsed(() => createPrivateKey(key))
      : undefined;
    if (privateKey === UNREADABLE)
      yield problemOf("certificate", id, "key", "is no key that can be read; it must have no passphrase");
    const areBoth = certificate instanceof X509Certificate && typeof privateKey === "object";
    if (areBoth && !certificate.checkPrivateKey(privateKey))
      yield problemOf("certificate", id, "key", "is not the key of the certificate");
  }
};

const UNREADABLE = "unreadable";

function isInline(text: string | undefined): text is string {
  return text !== undefined && !isSecretReference(text);
}

/** Without the reason: it may quote what was read. */
function parsed<Value>(parse: () => Value): Value | typeof UNREADABLE {
  try {
    return parse();
  } catch {
    return UNREADABLE;
  }
}
