import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createSecureContext } from "node:tls";
import { getSystemErrorMessage } from "node:util";
import type { Problem } from "../../config/problem.ts";
import type { CertificatePair } from "./tls-material.ts";

/** Far more than any chain of certificates has. */
const MAX_FILE_BYTES = 1_048_576;

/** Where a certificate and its key come from: files, or what is written in their place. */
interface PairSource {
  readonly cert_file: string;
  readonly key_file: string;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

/** Reads certificates, keys and authorities, and gathers what is wrong with them. */
export class PemFiles {
  readonly problems: Problem[] = [];
  /** Every file that was asked for. */
  readonly paths = new Set<string>();
  /** Where in the configuration the files are named. */
  readonly #owner: Pick<Problem, "kind" | "id">;

  constructor(owner: { readonly kind: string; readonly id: string }) {
    this.#owner = owner;
  }

  /** @param at the path of the setting that names the two files, to which `cert_file` and `key_file` are added */
  async pair(
    at: string,
    { cert_file: certFile, key_file: keyFile, ...inline }: PairSource,
    hosts: readonly string[] = [],
  ): Promise<CertificatePair | undefined> {
    const [cert, key] = await Promise.all([
      inline.cert ?? this.#read(`${at}cert_file`, certFile),
      inline.key ?? this.#read(`${at}key_file`, keyFile),
    ]);
    if (cert === undefined || key === undefined) return undefined;
    const certificate = this.#parse(`${at}cert_file`, certFile, () => new X509Certificate(cert));
    const privateKey = this.#parse(`${at}key_file`, keyFile, () => parseKey(key));
    if (certificate === undefined || privateKey === undefined) return undefined;
    if (!certificate.checkPrivateKey(privateKey)) {
      this.#problem(`${at}key_file`, `${keyFile} is not the key of the certificate in ${certFile}`);
      return undefined;
    }
    if (this.#parse(`${at}cert_file`, certFile, () => createSecureContext({ cert, key })) === undefined)
      return undefined;
    return {
      ...{ certFile, keyFile, cert, key },
      hosts: (hosts.length > 0 ? hosts : namesOf(certificate)).map((host) => host.toLowerCase()),
      notAfterMs: certificate.validToDate.getTime(),
      serial: certificate.serialNumber,
    };
  }

  /** Certificates of authorities. */
  async authorities(at: string, file: string): Promise<string | undefined> {
    const text = await this.#read(at, file);
    if (text === undefined) return undefined;
    return (
      this.#parse(at, file, () => {
        // Node takes a text without any certificate for one that adds none.
        const first = new X509Certificate(text);
        createSecureContext({ ca: text });
        return first;
      }) && text
    );
  }

  async #read(path: string, file: string): Promise<string | undefined> {
    this.paths.add(file);
    try {
      const text = await readFile(file, { encoding: "latin1", signal: AbortSignal.timeout(READ_TIMEOUT_MS) });
      if (text.length <= MAX_FILE_BYTES) return text;
      this.#problem(path, `${file} is longer than ${MAX_FILE_BYTES} bytes: it is no PEM file`);
    } catch (error) {
      this.#problem(path, `${file} cannot be read: ${reasonOf(error)}`);
    }
    return undefined;
  }

  #parse<T>(path: string, file: string, parse: () => T): T | undefined {
    try {
      return parse();
    } catch (error) {
      this.#problem(path, `${file} cannot be used: ${reasonOf(error)}`);
      return undefined;
    }
  }

  #problem(path: string, message: string): void {
    this.problems.push({ ...this.#owner, path, message });
  }
}

/** A file on a disk that does not answer must not hold a configuration for ever. */
const READ_TIMEOUT_MS = 10_000;

function parseKey(pem: string): KeyObject {
  if (/ENCRYPTED/.test(pem))
    throw new Error("it is protected by a passphrase; store it without one, readable to runway alone");
  return createPrivateKey(pem);
}

/** The names in the certificate itself (RFC 6125 §6.4.4: the common name only where there is no other). */
function namesOf(certificate: X509Certificate): string[] {
  const names = [...(certificate.subjectAltName ?? "").matchAll(/DNS:([^,\s"]+)/g)].map(([, name]) => name!);
  if (certificate.subjectAltName !== undefined) return names;
  return [...certificate.subject.matchAll(/^CN=(\S+)$/gm)].map(([, name]) => name!);
}

/** Never shows anything of the file's content. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return "it is of no known kind";
  const { code, errno } = error as NodeJS.ErrnoException;
  if (typeof errno === "number") return getSystemErrorMessage(errno);
  if (code?.startsWith("ERR_OSSL_PEM_NO_START_LINE") || /no start line/.test(error.message)) return "it is not PEM";
  return error.message.replace(/^error:[0-9A-F]+:/, "");
}
