import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
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

/**
 * A real PostgreSQL of its own, below a temporary directory, on a free port of loopback and a Unix socket. It syncs
 * nothing to the disk, since it is thrown away. As root it runs as another user, because it refuses to run as root.
 */
export class PostgresServer implements AsyncDisposable {
  readonly directory: string;
  readonly port: number;
  #process: ChildProcess | undefined;
  #databases = 0;

  private constructor(directory: string, port: number) {
    this.directory = directory;
    this.port = port;
  }

  static async start(): Promise<PostgresServer> {
    const directory = mkdtempSync(join(tmpdir(), "runway-pg-"));
    const owner = await runAs();
    if (owner !== undefined) chownSync(directory, owner.uid, owner.gid);
    chmodSync(directory, 0o700);
    const server = new PostgresServer(directory, await freePort());
    const initdb = ["-D", server.#data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"];
    await run(join(binaries()!, "initdb"), initdb, { ...owner, cwd: directory });
    await server.resume();
    return server;
  }

  get #data(): string {
    return join(this.directory, "data");
  }

  /** Starts it again after `stop`; what it held is still there. */
  async resume(): Promise<void> {
    const settings = ["fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=60"];
    settings.push("listen_addresses=127.0.0.1", `unix_socket_directories=${this.directory}`);
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
    const client = new Client({ host: "127.0.0.1", port: this.port, user: "postgres", database });
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

async function runAs(): Promise<{ readonly uid: number; readonly gid: number } | undefined> {
  if (process.getuid?.() !== ROOT) return undefined;
  const id = async (what: string) => Number((await run("id", [what, "postgres"])).stdout);
  return { uid: await id("-u"), gid: await id("-g") };
}
