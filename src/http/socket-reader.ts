import { connect, isIP, type LookupFunction, type Socket, type TcpNetConnectOpts } from "node:net";
import type { DuplexOptions } from "node:stream";
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from "node:tls";
import type { ClientTls } from "./client-tls.ts";
import { WRITE_BUFFER_BYTES } from "./socket-writer.ts";

/** Takes what arrives on a socket. `buffer` is only lent for the call: who wants to keep octets copies them. */
export interface ByteSink {
  onBytes(buffer: Buffer, end: number): void;
}

/** Whom to connect to. */
export interface Peer {
  readonly host: string;
  /** The host as its certificate names it. */
  readonly name: string;
  readonly port: number;
  /** Undefined for a connection in the clear. */
  readonly tls: ClientTls | undefined;
  /** How the host's addresses are found; the system's way where it is absent. */
  readonly lookup?: LookupFunction;
}

interface ReadsInto {
  useUserBuffer?(buffer: Buffer): void;
}

/**
 * Opens a connection whose octets are read into `buffer`, which all connections of a worker share. With `tls`, nothing that is
 * written leaves before the peer is verified: the socket is corked until its `secureConnect`.
 */
export function connectInto(buffer: Buffer, sink: ByteSink, { host, name, port, tls, lookup }: Peer): Socket {
  const options: TcpNetConnectOpts & DuplexOptions = {
    host,
    port,
    ...(lookup !== undefined && { lookup }),
    noDelay: true,
    allowHalfOpen: false,
    writableHighWaterMark: WRITE_BUFFER_BYTES,
    onread: {
      buffer,
      callback(count) {
        sink.onBytes(buffer, count);
        return true;
      },
    },
  };
  const socket = tls === undefined ? connect(options) : connectSecurely(options, name, tls);
  outliveWrites(socket);
  return socket;
}

type Written = (error?: Error | null) => void;

/**
 * Lets a socket be read to its end when writing to it fails. A peer that answers and resets its connection before it has read all
 * has its answer in our kernel when the next write fails, which by itself would end the socket with the answer unread. What was
 * written last is then never told to be done, so that little more is; the end of reading, which follows, ends the socket.
 */
function outliveWrites(socket: Socket): void {
  const write = socket._write;
  const writev = socket._writev;
  socket._write = (chunk: unknown, encoding: BufferEncoding, done: Written) =>
    write.call(socket, chunk, encoding, (error) => {
      if (!error) done();
    });
  if (writev !== undefined)
    socket._writev = (chunks, done: Written) =>
      writev.call(socket, chunks, (error) => {
        if (!error) done();
      });
}

function connectSecurely(options: TcpNetConnectOpts, name: string, tls: ClientTls): Socket {
  const socket = connectTls({ ...options, ...tlsOptions(name, tls, "http/1.1") });
  socket.cork();
  socket.once("secureConnect", () => socket.uncork());
  keepSession(socket, tls);
  return socket;
}

/** @param protocol what is agreed on by ALPN */
export function tlsOptions(name: string, { context, verify, session }: ClientTls, protocol: string): ConnectionOptions {
  return {
    secureContext: context,
    rejectUnauthorized: verify,
    ALPNProtocols: [protocol],
    ...(isIP(name) === 0 && { servername: name }),
    ...(session !== undefined && { session }),
  };
}

/** The next connection resumes the session of this one. */
export function keepSession(socket: TLSSocket, tls: ClientTls): void {
  socket.on("session", (session: Buffer) => {
    tls.session = session;
  });
}

/** The same for every socket, so they are looked for once. */
let hiddenKeys: ReturnType<typeof findHiddenKeys> | undefined;

function findHiddenKeys(socket: Socket) {
  const keys = Object.getOwnPropertySymbols(socket);
  return {
    bufferKey: keys.find((key) => key.description === "kBuffer"),
    callbackKey: keys.find((key) => key.description === "kBufferCb"),
  };
}

/**
 * Lets the octets of an accepted socket be read into `buffer` too. Node offers this for sockets that it opens (`onread`) but not
 * for those that it accepts, where every read allocates 64 KiB and passes through a stream: a tenth of the cost of a request.
 * So we set what `onread` sets; where a version of Node keeps it elsewhere, we read in the ordinary way.
 */
export function readInto(buffer: Buffer, sink: ByteSink, socket: Socket): void {
  const hidden = socket as unknown as Record<string | symbol, unknown>;
  const handle = hidden._handle as ReadsInto | null | undefined;
  hiddenKeys ??= findHiddenKeys(socket);
  const { bufferKey, callbackKey } = hiddenKeys;
  if (bufferKey === undefined || callbackKey === undefined || typeof handle?.useUserBuffer !== "function") {
    socket.removeAllListeners("data").on("data", (bytes: Buffer) => sink.onBytes(bytes, bytes.length));
    return;
  }
  const isRead = hidden[bufferKey] === buffer;
  hidden[bufferKey] = buffer;
  hidden[callbackKey] = (count: number) => {
    sink.onBytes(buffer, count);
    return true;
  };
  if (!isRead) handle.useUserBuffer(buffer);
  socket.resume();
}
