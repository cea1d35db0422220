import type { AddressInfo } from "node:net";
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from "fastify";
import { checkAdminExposure } from "../config/node-checks.ts";
import type { Role } from "../config/node-settings.ts";
import { describeProblem } from "../config/problem.ts";
import { RunwayError } from "../core/failure.ts";
import type { Logger } from "../core/ports.ts";
import type { Service } from "../core/service.ts";
import { refuseForeignPages } from "./browser-guard.ts";
import { isLoopback } from "./loopback.ts";
import type { AdminAnswer, Operation } from "./operation.ts";
import { problemDocument } from "./problem-document.ts";
import { parseQuery } from "./query.ts";
import { writeJson } from "./write-json.ts";

const MAX_BODY_BYTES = 32 * 1024 * 1024;
const MAX_CONNECTIONS = 512;
/** How long a request may take to arrive. */
const REQUEST_TIMEOUT_MS = 30_000;

export interface AdminServerOptions {
  /** An interface, `127.0.0.1`. */
  readonly address: string;
  /** 0 lets the system choose. */
  readonly port: number;
  readonly allowUnauthenticated: boolean;
  readonly role: Role;
  readonly operations: readonly Operation[];
  readonly logger: Logger;
}

/** The admin API over HTTP. Failures are answered as problem documents (RFC 9457). */
export class AdminServer implements Service {
  readonly name = "admin API";
  readonly #options: AdminServerOptions;
  #server: FastifyInstance | undefined;

  constructor(options: AdminServerOptions) {
    this.#options = options;
  }

  /** @throws RunwayError configurationInvalid for an address that others can reach, configurationRefused when it is taken. */
  async start(): Promise<void> {
    const { address, port, allowUnauthenticated } = this.#options;
    const admin = { enabled: true, address, port, allow_unauthenticated: allowUnauthenticated };
    for (const problem of checkAdminExposure({ admin }))
      throw new RunwayError("configurationInvalid", describeProblem(problem));
    const server = this.#build();
    try {
      await server.listen({ host: address, port });
    } catch (error) {
      await server.close();
      throw cannotListen(address, port, error);
    }
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
    const dropRest = () => server.server.closeAllConnections();
    if (deadline.aborted) dropRest();
    deadline.addEventListener("abort", dropRest, { once: true });
    await server.close();
    deadline.removeEventListener("abort", dropRest);
  }

  #build(): FastifyInstance {
    const server = fastify({
      bodyLimit: MAX_BODY_BYTES,
      requestTimeout: REQUEST_TIMEOUT_MS,
      forceCloseConnections: "idle",
      exposeHeadRoutes: false,
      routerOptions: { maxParamLength: 256 },
      frameworkErrors: (error, _request, reply) => this.#fail(error, reply),
    });
    server.server.maxConnections = MAX_CONNECTIONS;
    server.removeAllContentTypeParsers();
    server.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, done) => done(null, body));
    const bound = isLoopback(this.#options.address);
    server.addHook("onRequest", async ({ headers }) => refuseForeignPages(headers, bound));
    server.setErrorHandler((error, _request, reply) => this.#fail(error, reply));
    server.setNotFoundHandler((request, reply) => {
      const detail = `${request.url.split("?")[0]} is no endpoint of a node in the role ${this.#options.role}.`;
      return this.#fail(new RunwayError("notFound", detail), reply);
    });
    for (const [path, operations] of Map.groupBy(this.#ownOperations(), ({ path }) => path))
      server.route({
        method: server.supportedMethods,
        url: path.replaceAll(/\{(\w+)\}/g, ":$1"),
        handler: (request, reply) => this.#answer(operations, request, reply),
      });
    return server;
  }

  #ownOperations(): readonly Operation[] {
    return this.#options.operations.filter(({ roles }) => roles.includes(this.#options.role));
  }

  async #answer(operations: readonly Operation[], request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const method = request.method === "HEAD" ? "GET" : request.method;
    const operation = operations.find((candidate) => candidate.method === method);
    if (operation === undefined) {
      const allowed = operations.flatMap(({ method }) => (method === "GET" ? ["GET", "HEAD"] : [method])).join(", ");
      reply.header("allow", allowed);
      throw new RunwayError("adminMethodNotAllowed", `${request.url.split("?")[0]} answers ${allowed}.`);
    }
    const answer = await operation.handle({
      parameters: request.params as Record<string, string>,
      query: operation.query === undefined ? {} : parseQuery(operation.query, request.query),
      headers: request.headers,
      body: operation.body === undefined ? "" : bodyText(request.body),
      remoteAddress: request.ip,
    });
    return send(reply, answer);
  }

  #fail(reason: unknown, reply: FastifyReply): FastifyReply {
    const error = asRunwayError(reason);
    if (error.definition.status >= 500) this.#options.logger.error("An admin request failed", { error });
    const document = problemDocument(error);
    return reply.code(document.status).header("content-type", "application/problem+json").send(bytes(document));
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
