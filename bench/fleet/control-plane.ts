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

const PROGRAM = new URL("../../bin/runway", import.meta.url).pathname;
const PUSH_TIMEOUT_MS = 60_000;

export interface ControlPlaneOptions {
  readonly folder: string;
  readonly certificates: Certificates;
  /** What its file holds besides its own settings. */
  readonly document: string;
  readonly signal: AbortSignal;
}

export interface PushAnswer {
  readonly version: number;
  /** Since 1970, by the clock that all processes of this machine share. */
  readonly committedMs: number;
  /** From sending it out to the last acknowledgement, by the control plane's own measurement; 0 without nodes. */
  readonly slowestAckMs: number;
}

/** What `POST /api/v1/config?wait=applied` says of the fleet, as far as it is looked at here. */
interface FleetAnswer {
  readonly Fleet: {
    readonly Slowest?: { readonly AfterMs: number };
    readonly Missing: readonly object[];
  };
}

/** What `GET /cluster/nodes` says of one node, as far as it is looked at here. */
interface NodeRow {
  readonly status: string;
  readonly in_sync: boolean;
  readonly config_version: number;
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

  static async create({ folder, certificates, document, signal }: ControlPlaneOptions): Promise<ControlPlane> {
    const [port, adminPort] = [await freePort(), await freePort()];
    const address = `127.0.0.1:${port}`;
    const file = join(folder, "control-plane.yaml");
    const { caFile, controlPlane } = certificates;
    const settings = `cluster:
  role: control_plane
  control_plane:
    address: ${address}
    data_dir: ${join(folder, "data")}
    tls: { enabled: true, cert_file: ${controlPlane.certFile}, key_file: ${controlPlane.keyFile}, client_ca_file: ${caFile} }
admin: { port: ${adminPort} }
workers: 1
`;
    await writeFile(file, settings + document);
    return new ControlPlane(address, adminPort, file, signal);
  }

  /** Ready when it says so itself and nodes can connect, which is the last thing that it opens. */
  async start(): Promise<void> {
    this.#process = await PinnedProcess.start(MEASURED_CORE, PROGRAM, ["run", "-c", this.#file]);
    const isReady = async () => (await this.#ask("/ready")).status === 200 && (await accepts(this.address));
    await this.#process.ready(isReady, this.#signal);
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
   * Answers when every connected node has acknowledged it.
   *
   * @throws Error when it is refused, or when nodes are missing after a minute.
   */
  async push(document: string): Promise<PushAnswer> {
    const path = `/api/v1/config?wait=applied&timeout=${PUSH_TIMEOUT_MS}ms`;
    const { status, body } = await this.#ask(path, document, PUSH_TIMEOUT_MS + 5_000);
    if (status !== 200 && status !== 202) throw new Error(`the control plane answered ${status} to a push: ${body}`);
    const { Fleet } = JSON.parse(body) as FleetAnswer;
    const { length: missing, 0: first } = Fleet.Missing;
    if (missing > 0) throw new Error(`${missing} nodes did not apply a push, such as ${JSON.stringify(first)}`);
    const { version, timestamp } = JSON.parse((await this.#ask("/api/v1/config/hash")).body);
    return { version, committedMs: Date.parse(timestamp), slowestAckMs: Fleet.Slowest?.AfterMs ?? 0 };
  }

  /** How many nodes it shows as connected and in sync with its newest version. */
  async nodesInSync(): Promise<number> {
    const rows = JSON.parse((await this.#ask("/cluster/nodes")).body) as readonly NodeRow[];
    return rows.filter(({ status, in_sync }) => status === "connected" && in_sync).length;
  }

  /** Milliseconds until the admin API answers its smallest question. */
  async answerMs(): Promise<number> {
    const startMs = performance.now();
    await this.#ask("/health");
    return performance.now() - startMs;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process?.[Symbol.asyncDispose]();
  }

  #ask(path: string, body?: string, timeoutMs = 30_000): Promise<Answer> {
    return ask(`${this.#admin}${path}`, { signal: this.#signal, timeoutMs, ...(body === undefined ? {} : { body }) });
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
