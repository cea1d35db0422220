import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { freePort } from "../../test/support/free-port.ts";
import { type Answer, ask } from "../ask.ts";
import { MEASURED_CORE } from "../cores.ts";
import { PinnedProcess } from "../pinned-process.ts";
import type { Usage } from "../process-tree.ts";
import type { Certificates } from "./certificates.ts";
import { CHANGED_ROUTE, renderChange } from "./document.ts";

const PROGRAM = new URL("../../bin/runway", import.meta.url).pathname;
const CHANGE_TIMEOUT_MS = 60_000;
const READY_TIMEOUT_MS = 60_000;

export interface ControlPlaneOptions {
  readonly name: string;
  readonly folder: string;
  readonly certificates: Certificates;
  /** What its file holds besides its own settings. */
  readonly document: string;
  /** The URL of a PostgreSQL that several share; else a store of its own. */
  readonly store: string | undefined;
  readonly signal: AbortSignal;
}

/** What the control plane says of a change that it has sent to its own nodes. */
export interface ChangeAnswer {
  readonly version: number;
  /** Since 1970, by the clock that all processes of this machine share. */
  readonly committedMs: number;
  /** From sending it out until half of the nodes, 99 of 100 and all had acknowledged it; 0 without nodes. */
  readonly ackMedianMs: number;
  readonly ackP99Ms: number;
  readonly ackLastMs: number;
}

/** The answer to a change of a resource, as far as it is looked at here. */
interface ChangeJson {
  readonly version: number;
  readonly fleet: {
    readonly missing: readonly { readonly why: string }[];
    readonly slowest: { readonly after_ms: number } | null;
    readonly median_ms: number | null;
    readonly p99_ms: number | null;
  };
}

/** What `GET /cluster/nodes` says of one node, as far as it is looked at here. */
interface NodeRow {
  readonly status: string;
  readonly in_sync: boolean;
}

/** The real program as a process of its own on the measured core. It can be killed and started again in its old place. */
export class ControlPlane implements AsyncDisposable {
  /** Where nodes connect. */
  readonly address: string;
  readonly #admin: string;
  readonly #file: string;
  readonly #signal: AbortSignal;
  #process: PinnedProcess | undefined;

  private constructor(address: string, adminPort: number, file: string, signal: AbortSignal) {
    this.address = address;
    this.#admin = `http://127.0.0.1:${adminPort}`;
    this.#file = file;
    this.#signal = signal;
  }

  static async create({ name, folder, certificates, document, store, signal }: ControlPlaneOptions) {
    const [port, adminPort] = [await freePort(), await freePort()];
    const address = `127.0.0.1:${port}`;
    const file = join(folder, `${name}.yaml`);
    const { caFile, controlPlane } = certificates;
    const settings = `cluster:
  role: control_plane
  control_plane:
    address: ${address}
    data_dir: ${join(folder, `${name}-data`)}
    tls: { enabled: true, cert_file: ${controlPlane.certFile}, key_file: ${controlPlane.keyFile}, client_ca_file: ${caFile} }
${store === undefined ? "" : `    store: ${store}\n`}admin: { port: ${adminPort} }
workers: 1
`;
    await writeFile(file, settings + document);
    return new ControlPlane(address, adminPort, file, signal);
  }

  /** Ready when it says so itself and nodes can connect, which is the last thing that it opens. */
  async start(): Promise<void> {
    this.#process = await PinnedProcess.start(MEASURED_CORE, PROGRAM, ["run", "-c", this.#file]);
    const isReady = async () => (await this.ask("/ready")).status === 200 && (await accepts(this.address));
    await this.#process.ready(isReady, this.#signal, READY_TIMEOUT_MS);
  }

  /** As a crash would end it. */
  async kill(): Promise<void> {
    await this.#process?.kill();
  }

  usage(): Usage {
    if (this.#process === undefined) throw new Error("the control plane was never started");
    return this.#process.usage();
  }

  /**
   * Changes one route; answers when every node of this control plane has acknowledged it.
   *
   * @throws Error when it is refused, or when nodes are missing after a minute.
   */
  async change(revision: number): Promise<ChangeAnswer> {
    const path = `/api/v1/routes/${CHANGED_ROUTE}?wait=applied&timeout=${CHANGE_TIMEOUT_MS}ms`;
    const { status, body } = await this.ask(path, { method: "PATCH", body: renderChange(revision) });
    if (status !== 200 && status !== 202) throw new Error(`the control plane answered ${status} to a change: ${body}`);
    const { version, fleet } = JSON.parse(body) as ChangeJson;
    // Whoever left comes back, and is sent it then.
    const { length: missing, 0: first } = fleet.missing.filter(({ why }) => why !== "left");
    if (missing > 0) throw new Error(`${missing} nodes did not apply a change, such as ${JSON.stringify(first)}`);
    const { timestamp } = JSON.parse((await this.ask("/api/v1/config/hash")).body) as { timestamp: string };
    const { slowest, median_ms, p99_ms } = fleet;
    const acks = { ackMedianMs: median_ms ?? 0, ackP99Ms: p99_ms ?? 0, ackLastMs: slowest?.after_ms ?? 0 };
    return { version, committedMs: Date.parse(timestamp), ...acks };
  }

  async version(): Promise<number> {
    return (JSON.parse((await this.ask("/api/v1/config/hash")).body) as { version: number }).version;
  }

  /** How many nodes it shows as connected and in sync with its newest version. */
  async nodesInSync(): Promise<number> {
    const rows = JSON.parse((await this.ask("/cluster/nodes")).body) as readonly NodeRow[];
    return rows.filter(({ status, in_sync }) => status === "connected" && in_sync).length;
  }

  ask(path: string, more: { readonly method?: "PATCH"; readonly body?: string } = {}): Promise<Answer> {
    return ask(`${this.#admin}${path}`, { signal: this.#signal, timeoutMs: CHANGE_TIMEOUT_MS + 5_000, ...more });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process?.[Symbol.asyncDispose]();
  }
}

/** Whether somebody listens there. */
async function accepts(address: string): Promise<boolean> {
  const { hostname, port } = new URL(`tcp://${address}`);
  const socket = connect(Number(port), hostname);
  try {
    await once(socket, "connect");
    return true;
  } finally {
    socket.destroy();
  }
}
