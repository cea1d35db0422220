import { createHash } from "node:crypto";
import type { Socket } from "node:net";
import { RawOrigin } from "./test-proxy.ts";

const HEAD_END = "\r\n\r\n";
const ACCEPT_SALT = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

const CLOSE = 8;

/** An origin that opens every WebSocket and sends each message of up to 64 KiB back (RFC 6455 §5). */
export function echoingWebSocket(): RawOrigin {
  const positions = new Map<number, number>();
  return new RawOrigin((socket, all, connection) => {
    let at = positions.get(connection) ?? 0;
    if (at === 0 && all.includes(HEAD_END)) {
      at = all.indexOf(HEAD_END) + HEAD_END.length;
      socket.write(acceptance(all));
    }
    while (at > 0) {
      const next = echoFrame(socket, all, at);
      if (next === at) break;
      at = next;
    }
    positions.set(connection, at);
  });
}

function acceptance(head: string): string {
  const key = /Sec-WebSocket-Key: ([^\r]+)/i.exec(head)?.[1] ?? "";
  const accept = createHash("sha1").update(`${key}${ACCEPT_SALT}`).digest("base64");
  return `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}${HEAD_END}`;
}

/** Answers the position after the frame at `start`, or `start` while it is not complete. */
function echoFrame(socket: Socket, all: string, start: number): number {
  const octets = Buffer.from(all.slice(start), "latin1");
  if (octets.length < 2) return start;
  const short = octets[1]! & 127;
  const maskAt = short === 126 ? 4 : 2;
  if (octets.length < maskAt + 4) return start;
  const length = short === 126 ? octets.readUInt16BE(2) : short;
  const dataAt = maskAt + 4;
  if (octets.length < dataAt + length) return start;
  const data = octets.subarray(dataAt, dataAt + length).map((octet, at) => octet ^ octets[maskAt + (at % 4)]!);
  const head = Buffer.from(octets.subarray(0, maskAt));
  head[1] = short;
  socket.write(Buffer.concat([head, data]));
  if ((octets[0]! & 15) === CLOSE) socket.end();
  return start + dataAt + length;
}
