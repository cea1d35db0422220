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

/** What a cluster is besides its document. */
export interface ClusterOptions {
  /** How many control planes; all have the same document. */
  readonly controlPlanes?: number;
  /** The URL of the store that they share; else each has its own. */
  readonly store?: string;
  /** How much older their data planes may be, if not as by default. */
  readonly compatibility?: "patch" | "minor";
  /** More settings of the control planes' `postgres` block, for each in turn or for all. */
  readonly postgres?: string | readonly string[];
  /** How long a control plane may take to start, if its document is a large one. */
  readonly startMs?: number;
  /** More of their `ca` block; left out, they sign no certificates. */
  readonly ca?: string;
}

/**
 * Control planes and their data planes as real processes with certificates of their own, below one temporary directory.
 * Data plane N is called `dp-N`; the first control plane `cp`, the second `cp-2`. Everything ends with the cluster.
 */
export class Cluster implements AsyncDisposable {
  readonly directory: string;
  readonly authority: TestAuthority;
  readonly controlPlanes: Member[] = [];
  readonly dataPlanes: Member[] = [];
  readonly #ports: number[] = [];

  private constructor(directory: string, authority: TestAuthority) {
    this.directory = directory;
    this.authority = authority;
  }

  /** `document` is what the control planes' files hold besides `cluster` and `admin`. */
  static async start(document: string, dataPlanes = 0, options: ClusterOptions = {}): Promise<Cluster> {
    const directory = mkdtempSync(join(tmpdir(), "runway-cluster-"));
    const cluster = new Cluster(directory, await createAuthority(directory, "authority"));
    for (let number = 1; number <= (options.controlPlanes ?? 1); number += 1)
      await cluster.#addControlPlane(number === 1 ? "cp" : `cp-${number}`, document, options);
    for (let number = 1; number <= dataPlanes; number += 1) await cluster.addDataPlane(`dp-${number}`);
    await Promise.all(cluster.dataPlanes.map((member) => member.ready()));
    return cluster;
  }

  /** The first one. */
  get controlPlane(): Member {
    return this.controlPlanes[0]!;
  }

  get controlPlaneFile(): string {
    return this.controlPlane.file;
  }

  /** The port at which data planes reach a control plane. */
  clusterPortOf(controlPlane: Member): number {
    return this.#ports[this.controlPlanes.indexOf(controlPlane)]!;
  }

  get clusterPort(): number {
    return this.#ports[0]!;
  }

  /** Starts the first control plane again. */
  async startControlPlane(): Promise<Member> {
    const member = new Member("cp", this.controlPlaneFile);
    this.controlPlanes[0] = member;
    await member.started();
    return member;
  }

  async #addControlPlane(name: string, document: string, options: ClusterOptions): Promise<void> {
    const port = await freePort();
    const certificate = await this.authority.issue(name, { commonName: name, names: LOOPBACK_NAMES });
    const file = join(this.directory, `${name}.yaml`);
    const blocks = controlPlaneBlocks({
      directory: this.directory,
      name,
      port,
      certificate,
      caFile: this.authority.caFile,
    });
    const { compatibility = "patch" } = options;
    const own = `    compatibility: ${compatibility}\n${storeLines(options, this.controlPlanes.length)}${this.#caLines(options)}`;
    writeFileSync(file, `${blocks}${own}admin: { port: 0 }\n${document}`);
    const member = new Member(name, file);
    this.controlPlanes.push(member);
    this.#ports.push(port);
    await member.started(options.startMs);
  }

  #caLines({ ca }: ClusterOptions): string {
    const { caFile, caKeyFile } = this.authority;
    return ca === undefined ? "" : `    ca: { cert_file: ${caFile}, key_file: ${caKeyFile}, ${ca} }\n`;
  }

  /** A data plane with its own listener `http` on a port of its own, unless `extra` says otherwise. */
  async addDataPlane(nodeId: string, options: DataPlaneOptions = {}): Promise<Member> {
    const certificate = options.certificate ?? (await this.issueNode(nodeId));
    const file = join(this.directory, `${nodeId}.yaml`);
    const own = options.listeners ?? `listeners:\n  - id: http\n    address: 127.0.0.1:${await freePort()}\n`;
    const ports = (options.controlPlanes ?? this.controlPlanes).map((member) => this.clusterPortOf(member));
    const caFile = options.caFile ?? this.authority.caFile;
    const { admin = "", settings = "" } = options;
    const blocks = dataPlaneBlocks({ directory: this.directory, ports, nodeId, certificate, caFile, admin, settings });
    writeFileSync(file, `${blocks}${options.extensions ?? ""}${own}`);
    const member = new Member(nodeId, file, options.env);
    this.dataPlanes.push(member);
    await member.started();
    return member;
  }

  issueNode(nodeId: string): Promise<CertificateFiles> {
    const names = [{ type: "url", value: `spiffe://runway/node/${nodeId}` }] as const;
    return this.authority.issue(nodeId, { commonName: nodeId, names });
  }

  async nodes(seenBy = this.controlPlane): Promise<readonly NodeRow[]> {
    return (await (await seenBy.admin("/cluster/nodes")).json()) as NodeRow[];
  }

  async node(nodeId: string): Promise<NodeRow | undefined> {
    return (await this.nodes()).find((row) => row.node_id === nodeId);
  }

  push(yaml: string, query = "", to = this.controlPlane): Promise<Response> {
    return to.admin(`/api/v1/config${query}`, {
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
    const members = [...this.dataPlanes, ...this.controlPlanes];
    await Promise.all(members.map((member) => member.process.end("SIGKILL")));
    rmSync(this.directory, { recursive: true, force: true });
  }
}

export interface DataPlaneOptions {
  readonly certificate?: CertificateFiles;
  readonly caFile?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Those whose addresses it knows, in order; all of them unless given. */
  readonly controlPlanes?: readonly Member[];
  /** More of the file's `admin` block. */
  readonly admin?: string;
  /** The file's `extensions` block. */
  readonly extensions?: string;
  /** The file's `listeners` block; empty for a data plane that has the control plane's listeners only. */
  readonly listeners?: string;
  /** More lines of the file's `data_plane` block, such as `transport: websocket`. */
  readonly settings?: string;
}

/** One process of a cluster: its file, its life and its two doors. */
export class Member {
  readonly name: string;
  readonly file: string;
  process: RunwayProcess;
  #admin: { readonly process: RunwayProcess; readonly url: string } | undefined;

  constructor(name: string, file: string, env?: Readonly<Record<string, string>>) {
    this.name = name;
    this.file = file;
    this.process = new RunwayProcess(file, env);
  }

  /** Until the admin API answers. */
  async started(withinMs?: number): Promise<void> {
    await this.process.logged("The admin API is listening", () => true, withinMs);
  }

  async ready(withinMs?: number): Promise<void> {
    await eventually(`${this.name} is ready`, async () => (await this.admin("/ready")).status === 200, withinMs);
  }

  async restart(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    await this.process.end(signal);
    this.begin();
    await this.started();
  }

  /** A new process in the place of one that has ended. */
  begin(): void {
    this.process = new RunwayProcess(this.file);
  }

  async admin(path: string, init?: RequestInit): Promise<Response> {
    return fetch(`${await this.adminUrl()}${path}`, init);
  }

  async adminUrl(): Promise<string> {
    // Kept, since a process keeps its last lines only.
    if (this.#admin?.process !== this.process) {
      const { process } = this;
      const { address } = await process.logged("The admin API is listening");
      this.#admin = { process, url: `http://${address}` };
    }
    return this.#admin.url;
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

interface MemberFiles {
  readonly directory: string;
  readonly certificate: CertificateFiles;
  readonly caFile: string;
}

function controlPlaneBlocks(parts: MemberFiles & { readonly name: string; readonly port: number }): string {
  const { directory, name, port, certificate, caFile } = parts;
  const { certFile, keyFile } = certificate;
  return `cluster:
  role: control_plane
  control_plane:
    address: 127.0.0.1:${port}
    advertised_address: 127.0.0.1:${port}
    data_dir: ${join(directory, `${name}-data`)}
    tls: { enabled: true, cert_file: ${certFile}, key_file: ${keyFile}, client_ca_file: ${caFile} }
`;
}

function storeLines({ store, postgres = "" }: ClusterOptions, place: number): string {
  const settings = typeof postgres === "string" ? postgres : postgres[place];
  return store === undefined ? "" : `    store: ${store}\n    postgres: { ${settings ?? ""} }\n`;
}

interface DataPlaneFile extends MemberFiles {
  readonly nodeId: string;
  readonly ports: readonly number[];
  readonly admin: string;
  readonly settings: string;
}

function dataPlaneBlocks(parts: DataPlaneFile): string {
  const { directory, ports, nodeId, certificate, caFile, admin, settings } = parts;
  const { certFile, keyFile } = certificate;
  return `cluster:
  role: data_plane
  data_plane:
    address: [${ports.map((port) => `"127.0.0.1:${port}"`).join(", ")}]
    tls: { enabled: true, cert_file: ${certFile}, key_file: ${keyFile}, ca_file: ${caFile} }
    cache_dir: ${join(directory, `${nodeId}-cache`)}
    node_id: ${nodeId}
    retry_interval: 200ms
    heartbeat_interval: 500ms
    ${settings}
admin: { port: 0, ${admin} }
workers: 1
`;
}
