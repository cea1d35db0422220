import type { Server } from "node:https";
import type { AddressInfo } from "node:net";
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from "fastify";
import type { NodeSettings, Role } from "../config/node-settings.ts";
import type { Clock } from "../core/clock.ts";
import { RunwayError } from "../core/failure.ts";
import type { Logger } from "../core/ports.ts";
import type { Service } from "../core/service.ts";
import { certificateNames, tlsOptions, watchTls } from "./access/admin-tls.ts";
import { type Caller, mayUse } from "./access/caller.ts";
import { DropConnection, type Gate } from "./access/gate.ts";
import { limitConnections } from "./access/limit-connections.ts";
import { refuseForeignPages } from "./browser-guard.ts";
import { isLoopback } from "./loopback.ts";
import type { AdminAnswer, Operation } from "./operation.ts";
import { problemDocument } from "./problem-document.ts";
import { parseQuery } from "./query.ts";
import { writeJson } from "./write-json.ts";

const MAX_BODY_BYTES = 32 * 1024 * 1024;
const MAX_CONNECTIONS = 512;
/** After so long every failed attempt is forgiven. */
const RETRY_AFTER_S = 60;
/** How long a request may take to arrive. */
const REQUEST_TIMEOUT_MS = 30_000;

export interface AdminServerOptions {
  /** Found to be in order by the checks of the node's settings. */
  readonly settings: NodeSettings["admin"];
  readonly role: Role;
  readonly operations: readonly Operation[];
  /** Finds out who asks. */
  readonly gate: Gate;
  /** Writes down what was done that nothing else records. */
  readonly record: (deed: AdminDeed) => Promise<void>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Something that was done through the admin API. */
export interface AdminDeed {
  readonly author: string;
  /** `POST /drain` */
  readonly action: string;
}

/** The admin API over HTTP. Failures are answered as problem documents (RFC 9457). */
export class AdminServer implements Service {
  readonly name = "admin API";
  readonly #options: AdminServerOptions;
  #server: FastifyInstance | undefined;
  #stopWatching = (): void => {};

  constructor(options: AdminServerOptions) {
    this.#options = options;
  }

  /** @throws RunwayError configurationInvalid for certificates that cannot be used, configurationRefused when the address is taken. */
  async start(): Promise<void> {
    const { settings, clock, logger } = this.#options;
    const { address, port, tls } = settings;
    const server = this.#build();
    try {
      await server.listen({ host: address, port });
    } catch (error) {
      await server.close();
      throw cannotListen(address, port, error);
    }
    if (tls.cert_file !== "") this.#stopWatching = watchTls(tls, server.server as unknown as Server, clock, logger);
    this.#server = server;
  }

  /** Where it listens, with the port that the system chose. */
  address(): { readonly host: string; readonly port: number } {
    if (this.#server === undefined) throw new Error("the admin API has not been started");
    const { address, port } = this.#server.server.address() as AddressInfo;
    return { host: address, port };
  }

  async stop(deadline: AbortSignal): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#stopWatching();
    const dropRest = () => server.server.closeAllConnections();
    if (deadline.aborted) dropRest();
    deadline.addEventListener("abort", dropRest, { once: true });
    await server.close();
    deadline.removeEventListener("abort", dropRest);
  }

  #build(): FastifyInstance {
    const { settings } = this.#options;
    const server = fastify({
      ...(settings.tls.cert_file === "" ? {} : { https: tlsOptions(settings.tls) }),
      bodyLimit: MAX_BODY_BYTES,
      requestTimeout: REQUEST_TIMEOUT_MS,
      forceCloseConnections: "idle",
      exposeHeadRoutes: false,
      routerOptions: { maxParamLength: 256 },
      frameworkErrors: (error, _request, reply) => this.#fail(error, reply),
    }) as unknown as FastifyInstance;
    limitConnections(server.server, MAX_CONNECTIONS);
    server.removeAllContentTypeParsers();
    server.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, done) => done(null, body));
    server.decorateRequest("caller");
    const bound = isLoopback(settings.address);
    server.addHook("onRequest", async (request) => {
      refuseForeignPages(request.headers, bound, settings.tls.cert_file !== "");
      request.caller = await this.#admit(request);
    });
    server.setErrorHandler((error, _request, reply) => this.#fail(error, reply));
    server.setNotFoundHandler((request, reply) => {
      requireAccess(request.caller, "viewer");
      const detail = `${request.url.split("?")[0]} is no endpoint of a node in the role ${this.#options.role}.`;
      return this.#fail(new RunwayError("notFound", detail), reply);
    });
    for (const [path, operations] of Map.groupBy(this.#ownOperations(), ({ path }) => path))
      server.route({
        method: server.supportedMethods,
        url: path.replaceAll(/\{(\w+)\}/g, ":$1"),
        // Before the body is read.
        onRequest: async (request, reply) => requireAccess(request.caller, chosen(operations, request, reply).access),
        handler: (request, reply) => this.#answer(chosen(operations, request, reply), request, reply),
      });
    return server;
  }

  #admit(request: FastifyRequest): Promise<Caller> {
    return this.#options.gate.admit({
      authorization: request.headers.authorization,
      certificateNames: certificateNames(request.raw),
      address: request.ip,
    });
  }

  #ownOperations(): readonly Operation[] {
    return this.#options.operations.filter(({ roles }) => roles.includes(this.#options.role));
  }

  async #answer(operation: Operation, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const { caller, ip } = request;
    const author = `${caller.name}@${ip}`;
    const answer = await operation.handle({
      parameters: request.params as Record<string, string>,
      query: operation.query === undefined ? {} : parseQuery(operation.query, request.query),
      headers: request.headers,
      body: operation.body === undefined ? "" : bodyText(request.body),
      caller,
      author,
    });
    if (operation.method !== "GET" && !operation.isRecorded)
      await this.#options.record({ author, action: `${operation.method} ${request.url.split("?")[0]}` });
    return send(reply, answer);
  }

  #fail(reason: unknown, reply: FastifyReply): FastifyReply {
    if (reason instanceof DropConnection) {
      reply.raw.destroy();
      return reply.hijack();
    }
    const error = asRunwayError(reason);
    const { logger } = this.#options;
    if (error.definition.status >= 500) logger.error("An admin request failed", { error });
    if (error.kind === "unauthenticated") reply.header("www-authenticate", "Bearer");
    if (error.kind === "tooManyAttempts") reply.header("retry-after", RETRY_AFTER_S);
    const document = problemDocument(error);
    return reply.code(document.status).header("content-type", "application/problem+json").send(bytes(document));
  }
}

/** @throws RunwayError adminMethodNotAllowed */
function chosen(operations: readonly Operation[], request: FastifyRequest, reply: FastifyReply): Operation {
  const method = request.method === "HEAD" ? "GET" : request.method;
  const operation = operations.find((candidate) => candidate.method === method);
  if (operation !== undefined) return operation;
  requireAccess(request.caller, "viewer");
  const allowed = operations.flatMap(({ method }) => (method === "GET" ? ["GET", "HEAD"] : [method])).join(", ");
  reply.header("allow", allowed);
  throw new RunwayError("adminMethodNotAllowed", `${request.url.split("?")[0]} answers ${allowed}.`);
}

/** @throws RunwayError unauthenticated, forbidden */
function requireAccess(caller: Caller, access: Operation["access"]): void {
  if (mayUse(caller, access)) return;
  if (caller.role === undefined)
    throw new RunwayError("unauthenticated", 'Send "Authorization: Bearer <token>", or show a client certificate.');
  throw new RunwayError("forbidden", `The role ${caller.role} may not do this; it takes ${access}.`);
}

declare module "fastify" {
  interface FastifyRequest {
    caller: Caller;
  }
}

function send(reply: FastifyReply, answer: AdminAnswer): FastifyReply {
  reply.code(answer.status ?? 200).headers({ "cache-control": "no-store", ...answer.headers });
  if ("text" in answer) return reply.type(answer.contentType).send(answer.text);
  return reply.header("content-type", "application/json").send(bytes(answer.json));
}

/** To a string the framework would add a charset, which JSON has not (RFC 8259 §11). */
function bytes(json: unknown): Buffer {
  return Buffer.from(`${writeJson(json)}\n`);
}

function bodyText(body: unknown): string {
  if (!Buffer.isBuffer(body)) return "";
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(body);
  } catch {
    throw new RunwayError("adminBadRequest", "The body is not UTF-8 text.");
  }
}

/** The framework's own refusals (a body too large, a malformed URL) become rows of our table; their texts are safe to show. */
function asRunwayError(reason: unknown): RunwayError {
  if (!(reason instanceof Error && "statusCode" in reason)) return RunwayError.from(reason);
  const { statusCode, message } = reason;
  if (statusCode === 413) return new RunwayError("adminBodyTooLarge", `At most ${MAX_BODY_BYTES} bytes are read.`);
  return Number(statusCode) < 500 ? new RunwayError("adminBadRequest", message) : RunwayError.from(reason);
}

function cannotListen(address: string, port: number, cause: unknown): RunwayError {
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  const why = code === "EADDRINUSE" ? "another program listens there" : String(code ?? cause);
  const detail = `The admin API cannot listen on ${address}:${port}: ${why}. Stop what uses it, or set admin.port to another port (0 lets the system choose).`;
  return new RunwayError("configurationRefused", detail, { cause });
}
