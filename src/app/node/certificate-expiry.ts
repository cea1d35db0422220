import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";

/** When the certificate in a PEM file ends, in milliseconds since 1970; undefined when it cannot be read. */
export function certificateExpiry(file: string): number | undefined {
  try {
    return new X509Certificate(readFileSync(file)).validToDate.getTime();
  } catch {
    return undefined;
  }
}
