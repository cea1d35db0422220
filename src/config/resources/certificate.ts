import { z } from "zod";
import { secret } from "../../sdk/secret.ts";
import { isSecretReference } from "../secret-reference.ts";
import { filePath, hostPattern } from "./scalars.ts";

/** Text in PEM (RFC 7468), or a reference whose value is known only where it is used. */
const pem = (label: RegExp, message: string) =>
  z
    .string()
    .max(65_536)
    .refine((text) => isSecretReference(text) || label.test(text), message);

/** A certificate that every listener with TLS has, besides those that are written at it. */
export const CertificateSpec = z
  .strictObject({
    cert: pem(/-----BEGIN CERTIFICATE-----/, "must be a certificate in PEM")
      .optional()
      .describe("The certificate and those between it and its authority, PEM."),
    key: secret(pem(/-----BEGIN (?:\w+ )*PRIVATE KEY-----/, "must be a private key in PEM"))
      .optional()
      .describe("Its key, PEM, without a passphrase; better a reference such as ${file:/run/secrets/shop.key}."),
    cert_file: filePath.describe("In place of `cert`, a file of the node that listens. New content is used at once."),
    key_file: filePath.describe("In place of `key`, a file of the node that listens."),
    hosts: z
      .array(hostPattern)
      .default([])
      .describe("Hosts that are shown it; `*.example.com` stands for one label. None means its own names."),
  })
  .refine(({ cert, cert_file }) => (cert === undefined) !== (cert_file === ""), "needs one of cert and cert_file")
  .refine(({ key, key_file }) => (key === undefined) !== (key_file === ""), "needs one of key and key_file");

export type Certificate = z.output<typeof CertificateSpec> & { readonly id: string };
