import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { Agent, createServer, get, type Server, type ServerResponse } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { Member } from "../support/cluster.ts";
import { eventually } from "../support/eventually.ts";
import { freePort } from "../support/free-port.ts";

/** An origin that answers at once, but holds what is asked below /held until it is told. */
class HoldingOrigin {
  readonly held: ServerResponse[] = [];
  readonly #server: Server = createServer((request, response) => {
    if (request.url?.startsWith("/held")) this.held.push(response);
    else response.end("hi");
  });

  async start(): Promise<void> {
    await once(this.#server.listen(0, "127.0.0.1"), "listening");
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await once(this.#server.close(), "close");
  }
}

/** Requests on keep-alive connections until nobody accepts connections any more, or until it is stopped. */
class Load {
  answered = 0;
  readonly failures: string[] = [];
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 6 });
  readonly #loops: readonly Promise<void>[];
  #isOver = false;

  constructor(port: number) {
    this.#loops = Array.from({ length: 6 }, () => this.#loop(port));
  }

  /** Waits until connections are refused. */
  async refused(): Promise<void> {
    await Promise.all(this.#loops);
    this.#agent.destroy();
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await this.refused();
  }

  async #loop(port: number): Promise<void> {
    while (!this.#isOver) {
      const outcome = await this.#ask(port);
      if (outcome === "refused") return;
      if (outcome === "200") this.answered++;
      else if (this.failures.push(outcome) > 100) return;
    }
  }

  #ask(port: number): Promise<string> {
    const { promise, resolve } = Promise.withResolvers<string>();
    const request = get({ host: "127.0.0.1", port, path: "/", agent: this.#agent }, (response) => {
      response.resume();
      response.on("end", () => resolve(String(response.statusCode)));
      response.on("error", (error) => resolve(`cut: ${error.message}`));
    });
    request.on("error", (error: NodeJS.ErrnoException) => {
      // The kernel resets what waits to be accepted when a listener closes: that is a refusal too, as long as nothing was served.
      const isRefusal = error.code === "ECONNREFUSED" || (error.code === "ECONNRESET" && !request.reusedSocket);
      resolve(isRefusal ? "refused" : `${error.message}`);
    });
    return promise;
  }
}

/** A connection that says exactly what it is told. */
class RawConnection {
  received = "";
  isClosed = false;
  readonly socket: Socket;

  constructor(port: number) {
    this.socket = connect(port, "127.0.0.1");
    this.socket.on("data", (data) => {
      this.received += data.toString("latin1");
    });
    this.socket.on("error", () => {});
    this.socket.on("close", () => {
      this.isClosed = true;
    });
  }

  get(path: string): this {
    this.socket.write(`GET ${path} HTTP/1.1\r\nHost: gateway.test\r\n\r\n`);
    return this;
  }

  until(pattern: RegExp): Promise<unknown> {
    return eventually(`${pattern}`, () => pattern.test(this.received));
  }
}

describe("a node that is stopped or changed while it serves", () => {
  let directory: string;
  let file: string;
  let port: number;
  let origin: HoldingOrigin;
  let member: Member;

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), "runway-graceful-"));
    file = join(directory, "runway.yaml");
    port = await freePort();
    origin = new HoldingOrigin();
    await origin.start();
  });
  afterEach(async () => {
    await member.process.end("SIGKILL");
    await origin.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  function write(blocks = "", listeners = ""): void {
    writeFileSync(
      file,
      `admin: { port: 0 }\nworkers: 2\n${blocks}` +
        `listeners:\n  - { id: http, address: "127.0.0.1:${port}" }\n${listeners}` +
        `routes:\n  - { id: all, path: /, path_prefix: true, backends: [{ url: "${origin.url}" }] }\n`,
    );
  }

  async function start(blocks = ""): Promise<void> {
    write(blocks);
    member = new Member("graceful", file);
    await member.started();
    await member.ready();
  }

  it("fails no request on SIGTERM under load, and says so before it closes its listeners", async () => {
    await start("shutdown: { drain_delay: 500ms, timeout: 10s }\n");
    const idle = new RawConnection(port).get("/");
    await idle.until(/hi$/);
    const busy = new RawConnection(port).get("/held");
    await eventually("the request is in flight", () => origin.held.length === 1);
    const load = new Load(port);
    await eventually("the load goes on", () => load.answered > 100);

    member.process.signal("SIGTERM");
    await member.process.logged("Runway is stopping");
    const draining = new RawConnection(port).get("/");
    await draining.until(/200 OK.*Connection: close.*hi$/s);
    assert.equal((await member.admin("/ready")).status, 503);
    await eventually("who was told to close is closed", () => draining.isClosed);
    await load.refused();
    assert.deepEqual(load.failures, []);
    await eventually("an idle connection is closed", () => idle.isClosed);
    assert.equal(busy.isClosed, false, "what is in flight goes on");

    origin.held[0]!.end("late");
    await busy.until(/200 OK.*Connection: close.*late$/s);
    assert.equal(await member.process.exited(), 0);
  });

  it("drops at its timeout what is still in flight", async () => {
    await start("shutdown: { timeout: 300ms }\n");
    const busy = new RawConnection(port).get("/held");
    await eventually("the request is in flight", () => origin.held.length === 1);
    assert.equal(await member.process.end("SIGTERM"), 0);
    await eventually("the connection is closed", () => busy.isClosed);
    assert.equal(busy.received, "");
  });

  it("ends at once on a second signal", async () => {
    await start("shutdown: { drain_delay: 1m, timeout: 10m }\n");
    member.process.signal("SIGTERM");
    await member.process.logged("Runway is stopping");
    assert.equal(await member.process.end("SIGTERM"), 143);
  });

  it("adds and removes listeners under load without a failed request", async () => {
    await start();
    const load = new Load(port);
    const more = await freePort();
    for (let turn = 0; turn < 10; turn++) {
      write("", turn % 2 === 0 ? `  - { id: more, address: "127.0.0.1:${more}" }\n` : "");
      const before = load.answered;
      const reload = await member.admin("/reload", { method: "POST" });
      assert.equal(reload.status, 200, await reload.text());
      await eventually("the load goes on", () => load.answered > before + 20);
    }
    await load.stop();
    assert.deepEqual(load.failures, []);
  });

  it("writes an access log that can be moved away, and measures each route", async () => {
    const log = join(directory, "access.log");
    const lines = (path: string) =>
      readFileSync(path, "utf8")
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line));
    await start(`access_log: { enabled: true, output: "${log}" }\n`);
    assert.equal((await member.get("/first?token=secret")).status, 200);
    await eventually("the line is written", () => lines(log).length === 1);
    assert.equal(statSync(log).mode & 0o777, 0o600);
    renameSync(log, `${log}.1`);
    member.process.signal("SIGUSR1");
    const next = async () => {
      await member.get("/next");
      return lines(log).length > 0;
    };
    await eventually("a new file is written to", next);
    const [first] = lines(`${log}.1`);
    assert.deepEqual([first.route, first.path, first.status], ["all", "/first", 200]);

    const metrics = await (await member.admin("/metrics")).text();
    assert.match(metrics, /^runway_requests_total\{route="all",status="2xx"\} \d+$/m);
    assert.match(metrics, /^runway_request_duration_seconds_bucket\{route="all",le="\+Inf"\} \d+$/m);
    assert.match(metrics, /^# TYPE runway_request_duration_seconds histogram$/m);

    assert.equal((await member.get("/last")).status, 200);
    assert.equal(await member.process.end("SIGTERM"), 0);
    const hasLast = lines(log).some(({ path }) => path === "/last");
    assert.ok(hasLast, "what was gathered is written before the end");
  });
});
