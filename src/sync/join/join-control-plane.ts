import { createHash } from "node:crypto";
import { type IncomingMessage, request as sendRequest } from "node:http";
import { connect as connectTcp, isIP } from "node:net";
import { text as readText } from "node:stream/consumers";
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from "node:tls";
import { parseJoinToken, type ReadJoinToken } from "../../config/join-token.ts";
import { RunwayError } from "../../core/failure.ts";
import { parseAddress } from "../address.ts";
import { certificatesOf } from "../certificates-of.ts";
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

export interface JoinOptions {
  /** Of the control plane, host:port. */
  readonly address: string;
  /** As it was handed to the node's operator. */
  readonly token: string;
  /** PKCS #10, PEM. */
  readonly request: string;
  readonly nodeId?: string | undefined;
  /** What the control plane's certificate must be for; the host of the address when undefined. */
  readonly serverName?: string | undefined;
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
  const socket = await dial(options, trust, signal);
  try {
    const response = await send(socket, path, body, signal);
    const text = await readText(response);
    if (response.statusCode === 200) return text;
    const failure = JoinFailure.safeParse(JSON.parse(text));
    throw new RunwayError(
      "joinRefused",
      failure.success ? `${failure.data.detail}.` : `It answered ${response.statusCode}.`,
    );
  } catch (error) {
    if (error instanceof RunwayError) throw error;
    throw new RunwayError("joinRefused", `${options.address} did not answer: ${(error as Error).message}`, {
      cause: error,
    });
  } finally {
    socket.destroy();
  }
}

async function dial(options: JoinOptions, trust: ConnectionOptions, signal: AbortSignal): Promise<TLSSocket> {
  const { host, port } = parseAddress(options.address);
  const name = options.serverName ?? host;
  const naming = isIP(name) === 0 ? { servername: name } : { host: name };
  const { promise, resolve, reject } = Promise.withResolvers<TLSSocket>();
  const fail = (error: Error): void => reject(unreachable(options.address, error));
  const tcp = connectTcp({ host, port }).on("error", fail);
  const protocol = { minVersion: "TLSv1.3", ALPNProtocols: [JOIN_PROTOCOL] } as const;
  const socket = connectTls({ socket: tcp, ...protocol, ...naming, ...trust }, () => resolve(socket));
  socket.on("error", fail);
  socket.once("close", () => fail(new Error("the connection was closed")));
  signal.addEventListener("abort", () => tcp.destroy(new Error(`no answer within ${JOIN_LIMIT_MS} ms`)), {
    once: true,
  });
  return promise;
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
