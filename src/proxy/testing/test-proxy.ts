/** What the tests of this room share: configurations, raw origins and raw clients on loopback. */

import assert from "node:assert/strict";
import { connect, createServer, type Server, type Socket } from "node:net";
import { compileShapes } from "../../config/compile.ts";
import type { Configuration } from "../../config/configuration.ts";
import type { ConfigurationChange } from "../../config/configuration-change.ts";
import { Language } from "../../config/language.ts";
import { describeProblem } from "../../config/problem.ts";
import type { Resource } from "../../config/resource.ts";
import { systemClock } from "../../core/clock.ts";
import type { Plugin } from "../../sdk/plugin.ts";
import { SharedNumbers } from "../../sdk/shared-numbers.ts";
import { RouteSeries } from "../counters/route-series.ts";
import { SharedState, WorkerCells } from "../counters/shared-state.ts";
import { ConnectionCount } from "../listener/connection-count.ts";
import { readTlsMaterial } from "../tls/read-tls-material.ts";
import { UpstreamSupervision } from "../upstream/upstream-supervision.ts";
import { ProxyWorker } from "../worker/proxy-worker.ts";
import { WorkerLogger } from "../worker/worker-logger.ts";
import type { Command, PlannedListener, Report } from "../worker/worker-protocol.ts";

const PATIENCE_MS = 5_000;

/** Written as in a document, by id. */
export interface Sketch {
  readonly routes?: Readonly<Record<string, unknown>>;
  readonly upstreams?: Readonly<Record<string, unknown>>;
  readonly listeners?: Readonly<Record<string, unknown>>;
  readonly consumers?: Readonly<Record<string, unknown>>;
  readonly certificates?: Readonly<Record<string, unknown>>;
  readonly settings?: Readonly<Record<string, unknown>>;
}

/** A configuration with defaults filled in, whatever it means, and, unless it says otherwise, one listener on a port of the system's choice. */
export function configurationOf(sketch: Sketch, language = new Language([])): Configuration {
  const specs = { listeners: { http: { address: "127.0.0.1:0" } }, ...sketch };
  const sections = language.sections.flatMap(({ key, kind }) =>
    Object.entries(specs[key as keyof Sketch] ?? {}).map(([id, spec]) => ({ kind, id, spec })),
  );
  const settings = Object.entries(specs.settings ?? {}).map(([id, spec]) => ({ kind: "settings", id, spec }));
  const resources = [...sections, ...settings] as Resource[];
  const { configuration, problems } = compileShapes(language, resources, () => assert.fail());
  assert.deepEqual(problems.map(describeProblem), []);
  const written = Object.keys(specs.routes ?? {});
  return {
    ...configuration,
    routes: configuration.routes
      .map((route) => ({ ...route, order: written.indexOf(route.id) }))
      .sort((a, b) => a.order - b.order),
  };
}

/** How `from` becomes what is sketched, routes and upstreams only. */
export function changeOf(
  from: Configuration,
  sketch: Pick<Sketch, "routes" | "upstreams">,
  language = new Language([]),
): ConfigurationChange {
  const { routes, upstreams } = configurationOf(sketch, language);
  const [changedRoutes, removedRoutes] = differing(from.routes, routes);
  const [changedUpstreams, removedUpstreams] = differing(from.upstreams, upstreams);
  const to = { ...from, routes, upstreams };
  return { from, to, routes: changedRoutes, upstreams: changedUpstreams, removedRoutes, removedUpstreams };
}

function differing<T extends { readonly id: string }>(before: readonly T[], after: readonly T[]): [T[], string[]] {
  const known = new Map(before.map((one) => [one.id, JSON.stringify(one)]));
  const kept = new Set(after.map(({ id }) => id));
  return [
    after.filter((one) => known.get(one.id) !== JSON.stringify(one)),
    before.map(({ id }) => id).filter((id) => !kept.has(id)),
  ];
}

/** Resolves once `condition` holds. */
export async function eventually(condition: () => boolean, what: string | (() => string)): Promise<void> {
  const deadlineMs = performance.now() + PATIENCE_MS;
  while (!condition()) {
    if (performance.now() > deadlineMs) throw new Error(`never happened: ${typeof what === "string" ? what : what()}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** One worker in this thread, which a test may look into. */
export class TestProxy {
  readonly state = new SharedState(1);
  readonly series = new RouteSeries(this.state);
  readonly routes = this.series.slots;
  readonly worker: ProxyWorker;
  readonly upstreams: UpstreamSupervision;
  port = 0;
  readonly #clients: RawClient[] = [];
  #answers: Report[] = [];

  readonly #language: Language;

  /** @param plugins in the order of running */
  constructor(plugins: readonly Plugin[] = []) {
    const cells = new WorkerCells(this.state.rows[0]!);
    this.#language = new Language(plugins);
    const memory = SharedNumbers.allocate();
    const post = (report: Report) => this.#answers.push(report);
    this.worker = new ProxyWorker(0, systemClock, cells, post, { plugins, memory });
    this.worker.start();
    const logger = new WorkerLogger(systemClock, (report) => this.#answers.push(report));
    this.upstreams = new UpstreamSupervision({ clock: systemClock, logger });
  }

  /** Applies the configuration. Listeners on port 0 share one port that stays the same. */
  async apply(sketch: Sketch): Promise<void> {
    const configuration = configurationOf(sketch, this.#language);
    this.port ||= await freePort();
    const listeners = configuration.listeners.map(
      (listener): PlannedListener => ({
        listener,
        key: listener.address,
        host: "127.0.0.1",
        port: this.port,
        counts: ConnectionCount.memoryFor(1),
      }),
    );
    const { material: tls } = await readTlsMaterial(configuration, new Uint8Array(48));
    const { settings, plugins, owned, consumers } = configuration;
    await this.#do({ type: "begin", settings, listeners, tls, plugins: { plugins, owned } });
    await this.#do({ type: "consumers", consumers });
    const shared = this.upstreams.share(configuration);
    await this.#do({ type: "upstreams", upstreams: configuration.upstreams, shared });
    this.routes.assign(configuration.routes.map(({ id }) => id));
    const slots = configuration.routes.map(({ id }) => this.routes.slotOf(id));
    await this.#do({ type: "routes", routes: configuration.routes, slots, shared });
    await this.#do({ type: "listen" });
    await this.#do({ type: "commit" });
    this.routes.keep(configuration.routes.map(({ id }) => id));
    this.upstreams.secure(tls.upstream);
    this.upstreams.follow(configuration, shared);
  }

  drain(isDraining: boolean, isClosed = false): Promise<void> {
    return this.#do({ type: "drain", isDraining, isClosed });
  }

  async stop(): Promise<void> {
    for (const client of this.#clients) client.close();
    await this.#do({ type: "stop" });
    this.worker.sweep.stop();
    this.upstreams.stop();
  }

  /** Everything that was written to the access log so far. */
  accessLines(): Record<string, unknown>[] {
    this.worker.accessLog.flush();
    const pieces = this.#answers.filter((report) => report.type === "access");
    return pieces
      .flatMap(({ octets }) => Buffer.from(octets).toString().trimEnd().split("\n"))
      .map((line) => JSON.parse(line));
  }

  /** What was logged so far. */
  logLines(): readonly Extract<Report, { type: "log" }>[] {
    return this.#answers.filter((report) => report.type === "log");
  }

  /** What plugins counted so far, such as `rate_limit route:api limited`. */
  events(): Record<string, number> {
    const totals: Record<string, number> = {};
    for (const report of this.#answers)
      for (const { plugin, place, event, amount } of report.type === "events" ? report.counts : [])
        totals[`${plugin} ${place} ${event}`] = (totals[`${plugin} ${place} ${event}`] ?? 0) + amount;
    return totals;
  }

  client(): RawClient {
    const client = new RawClient(this.port);
    this.#clients.push(client);
    return client;
  }

  async #do(command: Command): Promise<void> {
    const before = this.#answers.length;
    await this.worker.handle(command);
    const refused = this.#answers.slice(before).find((answer) => answer.type === "refused");
    if (refused !== undefined) throw new Error(JSON.stringify(refused));
  }
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((closed) => server.close(closed));
  return port;
}

/** An origin that says exactly what a test wants, octet by octet. */
export class RawOrigin {
  port = 0;
  /** All that was received, one text for each connection. */
  readonly received: string[] = [];
  readonly sockets: Socket[] = [];
  readonly #server: Server;

  /** `respond` is called with each piece that arrives and all that came on the connection so far. */
  constructor(respond: (socket: Socket, all: string, connection: number) => void) {
    this.#server = createServer({ noDelay: true }, (socket) => {
      const connection = this.received.push("") - 1;
      this.sockets.push(socket);
      socket.on("error", () => {});
      socket.on("data", (bytes) => {
        this.received[connection] += bytes.toString("latin1");
        respond(socket, this.received[connection]!, connection);
      });
    });
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    this.port = (this.#server.address() as { port: number }).port;
    return this;
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((closed) => this.#server.close(closed));
  }
}

/** An origin that answers every request without a body with this text. */
export function answering(text: string): RawOrigin {
  let answered = 0;
  return new RawOrigin((socket, all) => {
    const requests = all.split("\r\n\r\n").length - 1;
    const before = (socket as { answered?: number }).answered ?? 0;
    for (answered = before; answered < requests; answered++) socket.write(text, "latin1");
    (socket as { answered?: number }).answered = answered;
  });
}

/** The text of a 200 with this body. */
export function ok(body: string, ...fields: readonly string[]): string {
  return `${["HTTP/1.1 200 OK", `Content-Length: ${Buffer.byteLength(body)}`, ...fields].join("\r\n")}\r\n\r\n${body}`;
}

/** A client that sends exactly what a test wants. */
export class RawClient {
  readonly socket: Socket;
  received = "";
  isClosed = false;

  constructor(port: number) {
    this.socket = connect({ port, host: "127.0.0.1", noDelay: true });
    this.socket.on("data", (bytes) => {
      this.received += bytes.toString("latin1");
    });
    this.socket.on("error", () => {});
    this.socket.on("close", () => {
      this.isClosed = true;
    });
  }

  send(text: string): this {
    this.socket.write(text, "latin1");
    return this;
  }

  get(path: string, ...fields: readonly string[]): this {
    return this.send(`${[`GET ${path} HTTP/1.1`, "Host: gateway.test", ...fields].join("\r\n")}\r\n\r\n`);
  }

  /** Resolves once what was received matches, and forgets it. */
  async until(pattern: RegExp): Promise<string> {
    await eventually(
      () => pattern.test(this.received),
      () => `${pattern} in ${JSON.stringify(this.received)}`,
    );
    const { received } = this;
    this.received = "";
    return received;
  }

  /** Resolves with all that was received once the connection is closed. */
  async untilClosed(): Promise<string> {
    await eventually(
      () => this.isClosed,
      () => `close, after ${JSON.stringify(this.received)}`,
    );
    return this.received;
  }

  close(): void {
    this.socket.destroy();
  }
}
