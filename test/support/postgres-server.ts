import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { Client } from "pg";
import { eventually } from "./eventually.ts";
import { freePort } from "./free-port.ts";

const run = promisify(execFile);
const DEBIAN = "/usr/lib/postgresql";
const ROOT = 0;

/** Why no PostgreSQL can be started here; undefined when one can. */
export function postgresMissing(): string | undefined {
  return binaries() === undefined
    ? `there is no PostgreSQL server below ${DEBIAN}; install Debian's package postgresql`
    : undefined;
}

/** How it speaks TLS, and then with nobody on TCP who does not. */
export interface PostgresTls {
  /** What it shows, PEM. */
  readonly certFile: string;
  readonly keyFile: string;
  /** The authority of certificates that clients have to show; their common name is the user. Left out, anybody may come. */
  readonly clientCaFile?: string;
}

/**
 * A real PostgreSQL of its own, below a temporary directory, on a free port of loopback and a Unix socket. It syncs
 * nothing to the disk, since it is thrown away. As root it runs as another user, because it refuses to run as root.
 */
export class PostgresServer implements AsyncDisposable {
  readonly directory: string;
  readonly port: number;
  readonly #tls: PostgresTls | undefined;
  #process: ChildProcess | undefined;
  #databases = 0;

  private constructor(directory: string, port: number, tls: PostgresTls | undefined) {
    this.directory = directory;
    this.port = port;
    this.#tls = tls;
  }

  static async start(tls?: PostgresTls): Promise<PostgresServer> {
    const directory = mkdtempSync(join(tmpdir(), "runway-pg-"));
    const owner = await runAs();
    if (owner !== undefined) chownSync(directory, owner.uid, owner.gid);
    chmodSync(directory, 0o700);
    const server = new PostgresServer(directory, await freePort(), tls);
    const initdb = ["-D", server.#data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"];
    await run(join(binaries()!, "initdb"), initdb, { ...owner, cwd: directory });
    if (tls !== undefined) server.#secure(tls, owner);
    await server.resume();
    return server;
  }

  /** Only with TLS from elsewhere; the socket stays open to `query`. */
  #secure({ certFile, keyFile, clientCaFile }: PostgresTls, owner: Owner | undefined): void {
    for (const [name, from] of [
      ["server.crt", certFile],
      ["server.key", keyFile],
      ["clients.crt", clientCaFile ?? certFile],
    ] as const) {
      const path = join(this.#data, name);
      copyFileSync(from, path);
      chmodSync(path, 0o600);
      if (owner !== undefined) chownSync(path, owner.uid, owner.gid);
    }
    const method = clientCaFile === undefined ? "trust" : "cert";
    writeFileSync(join(this.#data, "pg_hba.conf"), `local all all trust\nhostssl all all 127.0.0.1/32 ${method}\n`);
  }

  get #data(): string {
    return join(this.directory, "data");
  }

  /** Starts it again after `stop`; what it held is still there. */
  async resume(): Promise<void> {
    const settings = ["fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=60"];
    settings.push("listen_addresses=127.0.0.1", `unix_socket_directories=${this.directory}`);
    if (this.#tls !== undefined) settings.push("ssl=on");
    if (this.#tls?.clientCaFile !== undefined) settings.push("ssl_ca_file=clients.crt");
    const options = ["-D", this.#data, "-p", String(this.port), ...settings.flatMap((setting) => ["-c", setting])];
    const child = spawn(join(binaries()!, "postgres"), options, {
      ...(await runAs()),
      cwd: this.directory,
      stdio: ["ignore", "ignore", "pipe"],
    });
    let said = "";
    child.stderr.on("data", (data: Buffer) => {
      said = `${said}${data}`.slice(-4_000);
    });
    this.#process = child;
    await eventually("PostgreSQL takes connections", async () => {
      if (child.exitCode !== null) throw new Error(`PostgreSQL ended: ${said}`);
      await this.query("postgres", "SELECT 1");
      return true;
    });
  }

  /** Breaks every connection and stops, as on an immediate shutdown or a crash. */
  async stop(): Promise<void> {
    const child = this.#process;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    child.kill("SIGINT");
    await exited;
  }

  /** A new, empty database. Answers its URL. */
  async newDatabase(): Promise<string> {
    this.#databases += 1;
    const name = `test_${this.#databases}`;
    await this.query("postgres", `CREATE DATABASE ${name}`);
    return this.url(name);
  }

  url(database: string): string {
    return `postgres://postgres@127.0.0.1:${this.port}/${database}`;
  }

  async query(database: string, sql: string): Promise<readonly Record<string, unknown>[]> {
    const client = new Client({ host: this.directory, port: this.port, user: "postgres", database });
    await client.connect();
    try {
      return (await client.query(sql)).rows;
    } finally {
      await client.end();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** The newest that Debian installed. */
function binaries(): string | undefined {
  if (!existsSync(DEBIAN)) return undefined;
  const versions = readdirSync(DEBIAN).sort((a, b) => Number(b) - Number(a));
  return versions.map((version) => join(DEBIAN, version, "bin")).find((bin) => existsSync(join(bin, "postgres")));
}

interface Owner {
  readonly uid: number;
  readonly gid: number;
}

async function runAs(): Promise<Owner | undefined> {
  if (process.getuid?.() !== ROOT) return undefined;
  const id = async (what: string) => Number((await run("id", [what, "postgres"])).stdout);
  return { uid: await id("-u"), gid: await id("-g") };
}
