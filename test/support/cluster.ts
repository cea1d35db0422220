import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type CertificateFiles, createAuthority, LOOPBACK_NAMES, type TestAuthority } from "./certificates.ts";
import { eventually } from "./eventually.ts";
import { freePort } from "./free-port.ts";
import { RunwayProcess } from "./runway-process.ts";

/** What `GET /cluster/nodes` says of a node, as far as tests look at it. */
export interface NodeRow {
  readonly node_id: string;
  readonly status: string;
  readonly config_version: number;
  readonly config_hash_hex: string;
  readonly in_sync: boolean;
  readonly node_status: {
    readonly runway_version: string;
    readonly last_reload_error: string;
    readonly last_successful_version: number;
    readonly routes: number;
  };
  readonly [field: string]: unknown;
}

/**
 * A control plane and its data planes as real processes with certificates of their own, below one temporary directory.
 * Data plane N is called `dp-N`. Everything ends with the cluster.
 */
export class Cluster implements AsyncDisposable {
  readonly directory: string;
  readonly clusterPort: number;
  readonly authority: TestAuthority;
  readonly controlPlaneFile: string;
  readonly dataPlanes: Member[] = [];
  #controlPlane: Member | undefined;

  private constructor(directory: string, clusterPort: number, authority: TestAuthority, controlPlaneFile: string) {
    this.directory = directory;
    this.clusterPort = clusterPort;
    this.authority = authority;
    this.controlPlaneFile = controlPlaneFile;
  }

  /** `document` is what the control plane's file holds besides `cluster` and `admin`. */
  static async start(document: string, dataPlanes = 0): Promise<Cluster> {
    const directory = mkdtempSync(join(tmpdir(), "runway-cluster-"));
    const authority = await createAuthority(directory, "authority");
    const port = await freePort();
    const file = join(directory, "cp.yaml");
    const cluster = new Cluster(directory, port, authority, file);
    const certificate = await authority.issue("cp", { commonName: "cp", names: LOOPBACK_NAMES });
    writeFileSync(file, `${controlPlaneBlocks(directory, port, certificate, authority.caFile)}${document}`);
    await cluster.startControlPlane();
    for (let number = 1; number <= dataPlanes; number += 1) await cluster.addDataPlane(`dp-${number}`);
    await Promise.all(cluster.dataPlanes.map((member) => member.ready()));
    return cluster;
  }

  get controlPlane(): Member {
    return this.#controlPlane!;
  }

  async startControlPlane(): Promise<Member> {
    this.#controlPlane = new Member("cp", this.controlPlaneFile);
    await this.#controlPlane.started();
    return this.#controlPlane;
  }

  /** A data plane with its own listener `http` on a port of its own, unless `extra` says otherwise. */
  async addDataPlane(nodeId: string, options: DataPlaneOptions = {}): Promise<Member> {
    const certificate = options.certificate ?? (await this.issueNode(nodeId));
    const file = join(this.directory, `${nodeId}.yaml`);
    const own = options.listeners ?? `listeners:\n  - id: http\n    address: 127.0.0.1:${await freePort()}\n`;
    const blocks = dataPlaneBlocks(this, nodeId, certificate, options.caFile ?? this.authority.caFile);
    writeFileSync(file, `${blocks}${own}`);
    const member = new Member(nodeId, file, options.env);
    this.dataPlanes.push(member);
    await member.started();
    return member;
  }

  issueNode(nodeId: string): Promise<CertificateFiles> {
    const names = [{ type: "url", value: `spiffe://runway/node/${nodeId}` }] as const;
    return this.authority.issue(nodeId, { commonName: nodeId, names });
  }

  async nodes(): Promise<readonly NodeRow[]> {
    return (await (await this.controlPlane.admin("/cluster/nodes")).json()) as NodeRow[];
  }

  async node(nodeId: string): Promise<NodeRow | undefined> {
    return (await this.nodes()).find((row) => row.node_id === nodeId);
  }

  push(yaml: string, query = ""): Promise<Response> {
    return this.controlPlane.admin(`/api/v1/config${query}`, {
      method: "POST",
      headers: { "content-type": "application/yaml" },
      body: yaml,
    });
  }

  async version(): Promise<number> {
    const answer = await this.controlPlane.admin("/api/v1/config/hash");
    return ((await answer.json()) as { version: number }).version;
  }

  /** Until every data plane runs what the control plane has. */
  async inSync(withinMs?: number): Promise<void> {
    const ids = this.dataPlanes.map(({ name }) => name);
    const level = async () => {
      const [version, rows] = [await this.version(), await this.nodes()];
      const isLevel = (id: string) =>
        rows.some(
          (row) => row.node_id === id && row.in_sync && row.status === "connected" && row.config_version === version,
        );
      return ids.every(isLevel);
    };
    await eventually("every data plane is in sync", level, withinMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const members = [...this.dataPlanes, ...(this.#controlPlane === undefined ? [] : [this.#controlPlane])];
    await Promise.all(members.map((member) => member.process.end("SIGKILL")));
    rmSync(this.directory, { recursive: true, force: true });
  }
}

export interface DataPlaneOptions {
  readonly certificate?: CertificateFiles;
  readonly caFile?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** The file's `listeners` block; empty for a data plane that has the control plane's listeners only. */
  readonly listeners?: string;
}

/** One process of a cluster: its file, its life and its two doors. */
export class Member {
  readonly name: string;
  readonly file: string;
  process: RunwayProcess;

  constructor(name: string, file: string, env?: Readonly<Record<string, string>>) {
    this.name = name;
    this.file = file;
    this.process = new RunwayProcess(file, env);
  }

  /** Until the admin API answers. */
  async started(): Promise<void> {
    await this.process.logged("The admin API is listening");
  }

  async ready(withinMs?: number): Promise<void> {
    await eventually(`${this.name} is ready`, async () => (await this.admin("/ready")).status === 200, withinMs);
  }

  async restart(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    await this.process.end(signal);
    this.process = new RunwayProcess(this.file);
    await this.started();
  }

  async admin(path: string, init?: RequestInit): Promise<Response> {
    const { address } = await this.process.logged("The admin API is listening");
    return fetch(`http://${address}${path}`, init);
  }

  async status(): Promise<Readonly<Record<string, unknown>>> {
    return (await (await this.admin("/cluster/status")).json()) as Record<string, unknown>;
  }

  /** The URL of `path` at the listener `id`, which is waited for. */
  async url(path: string, id = "http"): Promise<string> {
    const { address } = await eventually(`listener ${id} of ${this.name}`, async () => {
      const listeners = (await (await this.admin("/listeners")).json()) as { id: string; address: string }[];
      return listeners.find((listener) => listener.id === id);
    });
    return `http://${address}${path}`;
  }

  /** One request through the proxy, on a connection of its own. */
  async get(path: string, init: RequestInit = {}): Promise<Response> {
    return fetch(await this.url(path), { ...init, headers: { connection: "close", ...init.headers } });
  }
}

function controlPlaneBlocks(
  directory: string,
  port: number,
  { certFile, keyFile }: CertificateFiles,
  caFile: string,
): string {
  return `cluster:
  role: control_plane
  control_plane:
    address: 127.0.0.1:${port}
    data_dir: ${join(directory, "cp-data")}
    tls: { enabled: true, cert_file: ${certFile}, key_file: ${keyFile}, client_ca_file: ${caFile} }
admin: { port: 0 }
`;
}

function dataPlaneBlocks(
  { directory, clusterPort }: Cluster,
  nodeId: string,
  { certFile, keyFile }: CertificateFiles,
  caFile: string,
): string {
  return `cluster:
  role: data_plane
  data_plane:
    address: 127.0.0.1:${clusterPort}
    tls: { enabled: true, cert_file: ${certFile}, key_file: ${keyFile}, ca_file: ${caFile} }
    cache_dir: ${join(directory, `${nodeId}-cache`)}
    node_id: ${nodeId}
    retry_interval: 200ms
    heartbeat_interval: 500ms
admin: { port: 0 }
workers: 1
`;
}
