import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { TLSSocket } from "node:tls";
import type { Clock } from "../../core/clock.ts";
import { FAILURES, RunwayError } from "../../core/failure.ts";
import type { Logger } from "../../core/ports.ts";
import type { Acceptor } from "../connection.ts";
import { limitLife } from "../limit-life.ts";
import {
  AUTHORITIES_PATH,
  type IssuedCertificate,
  JOIN_LIMIT_MS,
  JOIN_PATH,
  JOIN_PROTOCOL,
  JoinQuestion,
} from "./protocol.ts";
import { readBody } from "./read-body.ts";

/** What lets nodes in that have no certificate yet. */
export interface JoinDoor {
  /** Whom nodes are to trust, PEM. */
  authorities(): Promise<string>;
  /** @throws RunwayError joinRefused, storeUnavailable */
  join(question: JoinQuestion, address: string): Promise<IssuedCertificate>;
}

export interface JoinAcceptorOptions {
  readonly door: JoinDoor;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Who joins does so once: more at a time are told to come back. */
const MAX_CONNECTIONS = 64;

/** Takes the connections of nodes that want a certificate. They have shown none, and are given nothing else. */
export class JoinAcceptor implements Acceptor {
  readonly protocol = JOIN_PROTOCOL;
  readonly streams = [];
  readonly #door: JoinDoor;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #http: Server;
  #connections = 0;

  constructor({ door, clock, logger }: JoinAcceptorOptions) {
    this.#door = door;
    this.#clock = clock;
    this.#logger = logger;
    this.#http = createServer((request, response) => void this.#answer(request, response));
  }

  accept(socket: TLSSocket): void {
    if (this.#connections >= MAX_CONNECTIONS) {
      socket.destroy();
      return;
    }
    this.#connections += 1;
    limitLife(socket, this.#clock, JOIN_LIMIT_MS);
    socket.once("close", () => {
      this.#connections -= 1;
    });
    this.#http.emit("connection", socket);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const address = request.socket.remoteAddress ?? "";
    try {
      write(response, 200, await this.#handle(request, address));
    } catch (error) {
      const failure = RunwayError.from(error);
      const { code, status } = FAILURES[failure.kind];
      if (failure.kind === "internal") this.#logger.error("A node could not be let in", { address, error });
      else this.#logger.warn("A node was not let in", { address, code, reason: failure.message });
      write(response, status, { code, detail: failure.message });
    }
  }

  async #handle(request: IncomingMessage, address: string): Promise<object> {
    const asked = `${request.method} ${request.url}`;
    if (asked === `GET ${AUTHORITIES_PATH}`) return { authorities: await this.#door.authorities() };
    if (asked !== `POST ${JOIN_PATH}`) throw new RunwayError("notFound", `There is no ${asked} here.`);
    return this.#door.join(await readQuestion(request), address);
  }
}

async function readQuestion(request: IncomingMessage): Promise<JoinQuestion> {
  const text = await readBody(request);
  if (text === undefined) throw new RunwayError("adminBodyTooLarge");
  const question = JoinQuestion.safeParse(jsonOrUndefined(text));
  if (question.success) return question.data;
  throw new RunwayError("protocolViolation", "What was sent is no question to join.");
}

function jsonOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function write(response: ServerResponse, status: number, body: object): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    ...{ "Content-Type": "application/json", "Content-Length": Buffer.byteLength(text) },
    ...{ "Cache-Control": "no-store", Connection: "close" },
  });
  response.end(text);
}
