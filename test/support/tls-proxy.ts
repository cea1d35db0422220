import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ConnectionOptions, connect, type TLSSocket } from "node:tls";
import { systemClock } from "../../src/core/clock.ts";
import { type MetricDefinition, silentMeter } from "../../src/core/ports.ts";
import { Supervisor } from "../../src/proxy/supervisor.ts";
import { configurationOf, type Sketch } from "../../src/proxy/testing/test-proxy.ts";
import { createAuthority, type TestAuthority } from "./certificates.ts";
import { RecordingLogger } from "./recording-logger.ts";

type Series = () => Iterable<readonly [Readonly<Record<string, string>>, number]>;

/** A proxy with two workers, an authority, and TLS clients that believe it. Its directory goes with it. */
export class TlsProxy implements AsyncDisposable {
  readonly logger = new RecordingLogger();
  readonly directory: string;
  readonly authority: TestAuthority;
  readonly supervisor: Supervisor;
  readonly #series = new Map<string, Series>();
  readonly #sockets: TLSSocket[] = [];

  private constructor(directory: string, authority: TestAuthority) {
    this.directory = directory;
    this.authority = authority;
    const observeCounter = ({ name }: MetricDefinition, read: Series) => void this.#series.set(name, read);
    const meter = { ...silentMeter, observeCounter };
    this.supervisor = new Supervisor({ workers: 2, logger: this.logger, meter, clock: systemClock });
  }

  static async start(): Promise<TlsProxy> {
    const directory = mkdtempSync(join(tmpdir(), "runway-tls-"));
    const proxy = new TlsProxy(directory, await createAuthority(directory, "authority"));
    await proxy.supervisor.start();
    return proxy;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.hangUp();
    await this.supervisor.stop(AbortSignal.timeout(500));
    rmSync(this.directory, { recursive: true, force: true });
  }

  /** Closes all connections that were made. */
  hangUp(): void {
    for (const socket of this.#sockets.splice(0)) socket.destroy();
  }

  async apply(sketch: Sketch): Promise<void> {
    await (await this.supervisor.prepare(configurationOf(sketch))).commit();
  }

  /** Everything to `url`, on one listener whose address stays the same. */
  sketch(url: string, tls: object | undefined, settings: Sketch["settings"] = {}): Sketch {
    return {
      listeners: {
        https: { address: "127.0.0.1:0", ...(tls === undefined ? {} : { tls: { enabled: true, ...tls } }) },
      },
      routes: { all: { path: "/", path_prefix: true, backends: [{ url }] } },
      settings,
    };
  }

  get port(): number {
    return Number(this.supervisor.listeners()[0]!.address.split(":").at(-1));
  }

  /** A connection whose handshake succeeded, or the error. */
  async connect(options: ConnectionOptions = {}): Promise<TLSSocket> {
    const { promise, resolve, reject } = Promise.withResolvers<TLSSocket>();
    const ca = options.ca ?? this.authority.ca;
    const socket = connect({ port: this.port, host: "127.0.0.1", servername: "localhost", ...options, ca }, () =>
      resolve(socket),
    );
    socket.on("error", reject);
    this.#sockets.push(socket);
    return promise;
  }

  /** The text of the answer to a GET, complete by its Content-Length. */
  async get(socket: TLSSocket, path = "/"): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    let text = "";
    const onData = (bytes: Buffer) => {
      text += bytes.toString("latin1");
      const [head, body] = text.split("\r\n\r\n", 2);
      const length = Number(/content-length: (\d+)/i.exec(head ?? "")?.[1]);
      if (body !== undefined && body.length >= length) resolve(text);
    };
    const onClose = () => reject(new Error(`closed after ${JSON.stringify(text)}`));
    socket.on("data", onData).once("close", onClose);
    socket.write(`GET ${path} HTTP/1.1\r\nHost: gateway.test\r\n\r\n`);
    try {
      return await promise;
    } finally {
      socket.off("data", onData).off("close", onClose);
    }
  }

  /** Failed handshakes, those that there were, by reason. */
  handshakeFailures(): Record<string, number> {
    return this.counted("runway_tls_handshake_failures_total");
  }

  /** What a counter says by the values of its labels, such as a reason; those that there were. */
  counted(metric: string): Record<string, number> {
    const series = [...(this.#series.get(metric)?.() ?? [])];
    return Object.fromEntries(
      series.filter(([, count]) => count > 0).map(([labels, count]) => [Object.values(labels).join(" "), count]),
    );
  }
}
