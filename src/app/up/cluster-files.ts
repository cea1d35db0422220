import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createAuthority, issueControlPlane, issueDataPlane } from "../pki/certificate.ts";
import { KeyStore } from "../pki/key-store.ts";

const HOSTS = ["localhost", "127.0.0.1", "::1"];
const VALID_DAYS = 365;

export interface ClusterPorts {
  readonly origin: number;
  readonly cluster: number;
  readonly controlPlaneAdmin: number;
  readonly dataPlanes: readonly DataPlanePorts[];
}

export interface DataPlanePorts {
  readonly nodeId: string;
  readonly traffic: number;
  readonly admin: number;
}

/** The files of a cluster on one machine, below one directory, written for a person to read and to change. */
export class ClusterFiles {
  readonly directory: string;
  readonly #keys: KeyStore;

  constructor(directory: string) {
    this.directory = directory;
    this.#keys = new KeyStore(join(directory, "pki"));
  }

  /** The configuration of a member: `control-plane` or a node id. */
  configuration(member: string): string {
    return join(this.directory, `${member}.yaml`);
  }

  log(member: string): string {
    return join(this.directory, "logs", `${member}.log`);
  }

  /** A configuration with one more route, to be pushed. */
  get next(): string {
    return join(this.directory, "next.yaml");
  }

  /** Certificates that are there already are used on; configurations are written anew, since ports may differ. */
  async write(ports: ClusterPorts): Promise<void> {
    await mkdir(join(this.directory, "logs"), { recursive: true, mode: 0o700 });
    await this.#issueMissing(ports);
    await this.#save(this.configuration("control-plane"), this.#controlPlane(ports));
    await this.#save(this.next, `${routes(ports)}${EXTRA_ROUTE(ports)}`);
    for (const dataPlane of ports.dataPlanes)
      await this.#save(this.configuration(dataPlane.nodeId), this.#dataPlane(dataPlane, ports));
  }

  async #issueMissing({ dataPlanes }: ClusterPorts): Promise<void> {
    const keys = this.#keys;
    const issue = { days: VALID_DAYS };
    if (!(await keys.has("ca"))) await keys.write("ca", await createAuthority(issue), { force: false });
    const authority = await keys.read("ca");
    if (!(await keys.has("cp")))
      await keys.write("cp", await issueControlPlane(authority, { ...issue, hosts: HOSTS }), { force: false });
    for (const { nodeId } of dataPlanes)
      if (!(await keys.has(nodeId)))
        await keys.write(nodeId, await issueDataPlane(authority, { ...issue, nodeId, trustDomain: "runway" }), {
          force: false,
        });
  }

  #save(path: string, text: string): Promise<void> {
    return writeFile(path, text, { mode: 0o600 });
  }

  #controlPlane(ports: ClusterPorts): string {
    return `# The control plane: it owns the configuration and serves no traffic itself.
cluster:
  role: control_plane
  control_plane:
    address: 127.0.0.1:${ports.cluster}
    tls:
      enabled: true
      cert_file: ${quoted(this.#keys.certificatePath("cp"))}
      key_file: ${quoted(this.#keys.keyPath("cp"))}
      client_ca_file: ${quoted(this.#keys.certificatePath("ca"))}
    data_dir: ${quoted(join(this.directory, "control-plane"))}

admin:
  port: ${ports.controlPlaneAdmin}

${routes(ports)}`;
  }

  #dataPlane({ nodeId, traffic, admin }: DataPlanePorts, ports: ClusterPorts): string {
    return `# A data plane: its routes come from the control plane, this file says only who it is and where it listens.
cluster:
  role: data_plane
  data_plane:
    address: 127.0.0.1:${ports.cluster}
    tls:
      enabled: true
      cert_file: ${quoted(this.#keys.certificatePath(nodeId))}
      key_file: ${quoted(this.#keys.keyPath(nodeId))}
      ca_file: ${quoted(this.#keys.certificatePath("ca"))}
    cache_dir: ${quoted(join(this.directory, nodeId))}
    node_id: ${nodeId}
    retry_interval: 1s
    heartbeat_interval: 2s

workers: 1

admin:
  port: ${admin}

listeners:
  - id: http
    address: 127.0.0.1:${traffic}
`;
  }
}

function routes({ origin }: ClusterPorts): string {
  return `# What every data plane serves.
routes:
  - id: hello
    path: /
    path_prefix: true
    backends:
      - url: http://127.0.0.1:${origin}
`;
}

const EXTRA_ROUTE = ({ origin }: ClusterPorts) => `
  # New: /v2/anything reaches the origin as /anything.
  - id: v2
    path: /v2
    path_prefix: true
    strip_prefix: true
    backends:
      - url: http://127.0.0.1:${origin}
`;

/** Any path as a YAML scalar. */
function quoted(path: string): string {
  return JSON.stringify(path);
}
