import { createHash } from "node:crypto";
import { type IncomingMessage, request as sendRequest } from "node:http";
import type { ConnectionOptions, TLSSocket } from "node:tls";
import { parseJoinToken, type ReadJoinToken } from "../../config/join-token.ts";
import { RunwayError } from "../../core/failure.ts";
import { certificatesOf } from "../certificates-of.ts";
import { dial, type Way } from "../dial.ts";
import { describeTlsFailure } from "../tls-failure.ts";
import {
  AUTHORITIES_PATH,
  Authorities,
  IssuedCertificate,
  JOIN_LIMIT_MS,
  JOIN_PATH,
  JOIN_PROTOCOL,
  JoinFailure,
  type JoinQuestion,
} from "./protocol.ts";
import { readBody } from "./read-body.ts";

export interface JoinOptions extends Way {
  /** As it was handed to the node's operator. */
  readonly token: string;
  /** PKCS #10, PEM. */
  readonly request: string;
  readonly nodeId?: string | undefined;
}

/**
 * Has a control plane sign a certificate. The token is shown only to a server whose certificate was signed by the authority that the
 * token names, for the host that was dialled.
 * @throws RunwayError joinRefused, that says what to do
 */
export async function joinControlPlane(options: JoinOptions): Promise<IssuedCertificate> {
  const token = parseJoinToken(options.token);
  if (token === undefined)
    throw new RunwayError(
      "joinRefused",
      "This is no join token; `runway nodes invite` on the control plane makes one.",
    );
  const ca = await fetchAuthority(options, token);
  const { nodeId, request } = options;
  const question: JoinQuestion = { token: token.secret, request, ...(nodeId === undefined ? {} : { node_id: nodeId }) };
  const answer = await ask(options, { ca }, JOIN_PATH, JSON.stringify(question));
  return IssuedCertificate.parse(JSON.parse(answer));
}

/** What is told without proof is compared with what the token says. */
async function fetchAuthority(options: JoinOptions, token: ReadJoinToken): Promise<string> {
  const answer = await ask(options, { rejectUnauthorized: false }, AUTHORITIES_PATH);
  const known = certificatesOf(Authorities.parse(JSON.parse(answer)).authorities);
  const authority = known.find(({ raw }) => createHash("sha256").update(raw).digest("hex") === token.authority);
  if (authority !== undefined) return authority.toString();
  throw new RunwayError(
    "joinRefused",
    `${options.address} does not have the authority that the token names: either it is another control plane, or somebody stands in between, or its authority was changed since. The token was not sent.`,
  );
}

async function ask(options: JoinOptions, trust: ConnectionOptions, path: string, body?: string): Promise<string> {
  const signal = AbortSignal.timeout(JOIN_LIMIT_MS);
  const socket = await reach(options, trust, signal);
  try {
    const response = await send(socket, path, body, signal);
    const text = await readBody(response);
    if (text === undefined) throw new Error("its answer is too long");
    if (response.statusCode === 200) return text;
    const failure = JoinFailure.safeParse(JSON.parse(text));
    throw new RunwayError(
      "joinRefused",
      failure.success ? `${failure.data.detail}.` : `It answered ${response.statusCode}.`,
    );
  } catch (error) {
    if (error instanceof RunwayError) throw error;
    const why = signal.aborted ? SILENT : (error as Error).message;
    throw new RunwayError("joinRefused", `${options.address} did not answer: ${why}`, { cause: error });
  } finally {
    socket.destroy();
  }
}

const SILENT = `no answer within ${JOIN_LIMIT_MS} ms`;

async function reach(options: JoinOptions, trust: ConnectionOptions, signal: AbortSignal): Promise<TLSSocket> {
  try {
    return await dial(options, { ALPNProtocols: [JOIN_PROTOCOL], ...trust }, signal);
  } catch (error) {
    throw unreachable(options.address, signal.aborted ? new Error(SILENT) : (error as Error));
  }
}

function unreachable(address: string, error: NodeJS.ErrnoException): RunwayError {
  const why =
    error.code === "ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL"
      ? "it lets no nodes join; set cluster.control_plane.ca there, or make the certificate with `runway pki issue dp`"
      : describeTlsFailure(error);
  return new RunwayError("joinRefused", `${address} cannot be joined: ${why}.`, { cause: error });
}

function send(
  socket: TLSSocket,
  path: string,
  body: string | undefined,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const headers =
    body === undefined ? {} : { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(body) };
  const method = body === undefined ? "GET" : "POST";
  sendRequest({ createConnection: () => socket, host: "control-plane", method, path, headers, signal }, resolve)
    .on("error", reject)
    .end(body);
  return promise;
}
