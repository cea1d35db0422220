import { createHash } from "node:crypto";
import type { Configuration } from "../../config/configuration.ts";
import type { Problem } from "../../config/problem.ts";
import type { Certificate } from "../../config/resources/certificate.ts";
import type { Listener } from "../../config/resources/listener.ts";
import type { Settings } from "../../config/resources/settings.ts";
import { ConfigurationRefused } from "../configuration-refused.ts";
import { PemFiles } from "./pem-files.ts";
import type { CertificatePair, ListenerTls, TlsMaterial, UpstreamTls } from "./tls-material.ts";

export interface ReadMaterial {
  readonly material: TlsMaterial;
  /** The files that it came from. */
  readonly paths: readonly string[];
}

type Sources = Pick<Configuration, "listeners" | "certificates"> & { readonly settings: Pick<Settings, "transport"> };

/**
 * Reads every file that TLS needs. A certificate that has expired is taken: to serve it tells clients more than to serve nothing.
 * @throws ConfigurationRefused naming every file that cannot be used, and why.
 */
export async function readTlsMaterial(
  { listeners, certificates, settings }: Sources,
  ticketKeys: Uint8Array,
): Promise<ReadMaterial> {
  const upstreamFiles = new PemFiles({ kind: "settings", id: "transport" });
  // Where nobody is shown them, their files need not be there.
  const shared = listeners.some(({ tls }) => tls.enabled) ? certificates.map(readCertificate) : [];
  const forAll = async () => (await Promise.all(shared.map(({ pair }) => pair))).filter((pair) => pair !== undefined);
  const [ofListeners, upstream] = await Promise.all([
    Promise.all(listeners.map((listener, index) => readListener(listener, index, forAll(), ticketKeys))),
    // A node that serves nobody, such as a control plane without listeners, need not have the files.
    readUpstream(listeners.length > 0 ? settings.transport : NO_FILES, upstreamFiles),
  ]);
  const problems: readonly Problem[] = [
    ...[...ofListeners, ...shared].flatMap(({ files }) => files.problems),
    ...upstreamFiles.problems,
  ];
  if (problems.length > 0) throw new ConfigurationRefused(problems);
  return {
    material: {
      listeners: new Map(ofListeners.flatMap(({ id, tls }) => (tls === undefined ? [] : [[id, tls]]))),
      upstream,
    },
    paths: [
      ...new Set(
        [...[...ofListeners, ...shared].map(({ files }) => files), upstreamFiles].flatMap(({ paths }) => [...paths]),
      ),
    ],
  };
}

interface ReadListener {
  readonly id: string;
  readonly tls: ListenerTls | undefined;
  readonly files: PemFiles;
}

/** One that every listener with TLS has. */
function readCertificate({ id, hosts, ...source }: Certificate): {
  readonly files: PemFiles;
  readonly pair: Promise<CertificatePair | undefined>;
} {
  const files = new PemFiles({ kind: "certificate", id });
  const name = `certificate:${id}`;
  const named = (pair: CertificatePair | undefined) =>
    pair && { ...pair, certFile: pair.certFile || name, keyFile: pair.keyFile || name };
  return { files, pair: files.pair("", source, hosts).then(named) };
}

async function readListener(
  { id, tls }: Listener,
  index: number,
  shared: Promise<readonly CertificatePair[]>,
  ticketKeys: Uint8Array,
): Promise<ReadListener> {
  const files = new PemFiles({ kind: "listener", id });
  if (!tls.enabled) return { id, tls: undefined, files };
  const at = `listeners[${index}].tls.`;
  const clientCa =
    tls.client_auth === "verify" ? await files.authorities(`${at}client_ca_file`, tls.client_ca_file) : undefined;
  const content = {
    certificates: [...(await readCertificates(tls, at, files)), ...(await shared)],
    clientAuth: tls.client_auth,
    clientCa,
    minVersion: `TLSv${tls.min_version}` as ListenerTls["minVersion"],
    handshakeTimeoutMs: tls.handshake_timeout,
  };
  return { id, tls: { ...content, ticketKeys, fingerprint: fingerprintOf({ ...content, ticketKeys }) }, files };
}

async function readCertificates(tls: Listener["tls"], at: string, files: PemFiles): Promise<CertificatePair[]> {
  const read = [
    ...(tls.cert_file === "" ? [] : [files.pair(at, tls)]),
    ...tls.certificates.map((named, index) => files.pair(`${at}certificates[${index}].`, named, named.hosts)),
  ];
  return (await Promise.all(read)).filter((pair) => pair !== undefined);
}

type UpstreamFiles = Pick<Settings["transport"], "ca_file" | "cert_file" | "key_file" | "insecure_skip_verify">;

const NO_FILES: UpstreamFiles = { ca_file: "", cert_file: "", key_file: "", insecure_skip_verify: false };

async function readUpstream(transport: UpstreamFiles, files: PemFiles): Promise<UpstreamTls> {
  const { ca_file, cert_file, insecure_skip_verify } = transport;
  const pair = cert_file === "" ? undefined : await files.pair("transport.", transport);
  const content = {
    ca: ca_file === "" ? undefined : await files.authorities("transport.ca_file", ca_file),
    cert: pair?.cert,
    key: pair?.key,
    verify: !insecure_skip_verify,
  };
  return { ...content, fingerprint: fingerprintOf(content) };
}

function fingerprintOf(content: object): string {
  return createHash("sha256").update(JSON.stringify(content)).digest("base64");
}
