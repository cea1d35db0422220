import { createHash, type KeyObject, X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { RunwayError } from "../../core/failure.ts";
import { certificatesOf } from "../../sync/certificates-of.ts";

export interface NodeAuthorityOptions {
  /** The certificate that signs, first, and others that nodes are to trust besides. PEM. */
  readonly certFile: string;
  /** The key of the first. */
  readonly keyFile: string;
  /** What the control plane shows to nodes, PEM. */
  readonly serverCertFile: string;
  readonly lifetimeMs: number;
  readonly trustDomain: string;
  readonly now: () => number;
}

export interface NodeRequest {
  readonly nodeId: string;
  readonly publicKey: KeyObject;
  /** When the node was revoked, if it was: what is signed now begins later. */
  readonly revokedAtMs: number | undefined;
}

/** A certificate begins to be valid a little earlier, for clocks that go slow, but no more than a tenth of its lifetime. */
const CLOCK_TOLERANCE_MS = 5 * 60_000;
const SECOND_MS = 1_000;

/** Signs certificates of nodes. Its files are read anew each time, so that they can be replaced at any time. */
export class NodeAuthority {
  readonly #options: NodeAuthorityOptions;

  constructor(options: NodeAuthorityOptions) {
    this.#options = options;
  }

  /** Whom nodes are to trust, PEM. */
  async authorities(): Promise<string> {
    return (await this.#read()).map((certificate) => certificate.toString()).join("");
  }

  /**
   * SHA-256 of the authority that signed the certificate which the control plane shows to nodes.
   * @throws RunwayError configurationInvalid, when it is none of those that nodes would trust
   */
  async fingerprint(): Promise<string> {
    const { serverCertFile, certFile } = this.#options;
    const chain = certificatesOf(await readText(serverCertFile, "tls.cert_file"));
    const authority = (await this.#read()).find((one) =>
      chain.some((shown) => shown.checkIssued(one) && shown.verify(one.publicKey)),
    );
    if (authority !== undefined) return createHash("sha256").update(authority.raw).digest("hex");
    throw invalid(
      `no authority in ${certFile} (cluster.control_plane.ca.cert_file) signed ${serverCertFile} (cluster.control_plane.tls.cert_file), so a node that joins could not know this control plane`,
    );
  }

  /** A certificate for the node's key, PEM. @throws RunwayError configurationInvalid */
  async certify({ nodeId, publicKey, revokedAtMs = 0 }: NodeRequest): Promise<string> {
    const { certFile, keyFile, lifetimeMs, trustDomain, now } = this.#options;
    const [signing] = await this.#read();
    const key = await readText(keyFile, "ca.key_file");
    const { certifyNode } = await import("./certificate.ts");
    const nowMs = now();
    const tolerated = nowMs - Math.min(CLOCK_TOLERANCE_MS, lifetimeMs / 10);
    // Certificates count whole seconds.
    const afterRevocation = (Math.floor(revokedAtMs / SECOND_MS) + 1) * SECOND_MS;
    const notBeforeMs = Math.max(tolerated, revokedAtMs === 0 ? 0 : afterRevocation);
    const notAfterMs = Math.min(nowMs + lifetimeMs, signing!.validToDate.getTime());
    const authority = { certificate: signing!.toString(), key };
    try {
      const certificate = await certifyNode(authority, { publicKey, nodeId, trustDomain, notBeforeMs, notAfterMs });
      // Of two files that are being replaced one is for a moment the old one.
      if (new X509Certificate(certificate).verify(signing!.publicKey)) return certificate;
      throw new Error(`it is not the key of ${certFile}`);
    } catch (error) {
      throw invalid(`${keyFile} (cluster.control_plane.ca.key_file) cannot sign: ${(error as Error).message}`, error);
    }
  }

  async #read(): Promise<X509Certificate[]> {
    const { certFile } = this.#options;
    try {
      const certificates = certificatesOf(await readText(certFile, "ca.cert_file"));
      if (certificates.length === 0) throw new Error("there is no certificate in it");
      return certificates;
    } catch (error) {
      if (error instanceof RunwayError) throw error;
      throw invalid(`${certFile} (cluster.control_plane.ca.cert_file): ${(error as Error).message}`, error);
    }
  }
}

async function readText(path: string, setting: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw invalid(`${path} (cluster.control_plane.${setting}) cannot be read: ${(error as Error).message}`, error);
  }
}

function invalid(detail: string, cause?: unknown): RunwayError {
  return new RunwayError("configurationInvalid", detail, { cause });
}
