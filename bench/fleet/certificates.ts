import { createAuthority, issueControlPlane, issueDataPlane, type KeyPair } from "../../src/app/pki/certificate.ts";
import { KeyStore } from "../../src/app/pki/key-store.ts";

const DAYS = 1;

/** What a program is configured with: the paths of its certificate and its key. */
interface CertificateFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

/** One authority, the control planes' certificate, and one certificate for each node, which speaks for that node alone. */
export interface Certificates {
  readonly caFile: string;
  readonly controlPlane: CertificateFiles;
  readonly nodes: readonly NodeCertificate[];
}

export interface NodeCertificate extends CertificateFiles {
  readonly nodeId: string;
}

export async function createCertificates(folder: string, nodes: number): Promise<Certificates> {
  const store = new KeyStore(folder);
  const write = async (name: string, pair: KeyPair): Promise<CertificateFiles> => {
    await store.write(name, pair, { force: false });
    return { certFile: store.certificatePath(name), keyFile: store.keyPath(name) };
  };
  const authority = await createAuthority({ days: DAYS });
  const { certFile: caFile } = await write("ca", authority);
  const controlPlane = await write("cp", await issueControlPlane(authority, { hosts: ["127.0.0.1"], days: DAYS }));
  const issued: NodeCertificate[] = [];
  for (let number = 1; number <= nodes; number++) {
    const nodeId = `node-${number}`;
    const pair = await issueDataPlane(authority, { nodeId, trustDomain: "runway", days: DAYS });
    issued.push({ nodeId, ...(await write(nodeId, pair)) });
  }
  return { caFile, controlPlane, nodes: issued };
}
