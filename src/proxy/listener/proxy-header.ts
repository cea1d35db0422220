/**
 * The header with which a proxy in front of us begins a connection, to tell whom it speaks for: versions 1 (a line) and 2 (octets)
 * of the PROXY protocol (https://www.haproxy.org/download/3.2/doc/proxy-protocol.txt §2). What version 2 adds behind the
 * addresses (TLVs) is skipped. Where the header names no address that HTTP could use, the connection's own holds.
 */
import { isIPv4, isIPv6, SocketAddress } from "node:net";
import type { Cell } from "../counters/shared-state.ts";

export interface ProxyHeader {
  /** Octets of the connection that belong to it. */
  readonly bytes: number;
  /** Undefined where the proxy speaks for itself (`LOCAL`, `UNKNOWN`) or for somebody without an IP address. */
  readonly client: string | undefined;
}

/** Where headers are counted that were not to be had, by reason. */
export const PROXY_HEADER_CELLS = {
  /** What came is something else. */
  missing: "proxyHeadersMissing",
  malformed: "proxyHeadersMalformed",
  /** It was not complete in time. */
  timeout: "proxyHeadersTimedOut",
} as const satisfies Record<string, Cell>;

export type ProxyHeaderFault = keyof typeof PROXY_HEADER_CELLS;

const LINE_START = Buffer.from("PROXY ");
/** Of version 1, with CRLF. */
const MAX_LINE_BYTES = 107;
const UNKNOWN = /^PROXY UNKNOWN(?: .*)?$/;
const TCP = /^PROXY (TCP4|TCP6) ([^ ]+) ([^ ]+) (0|[1-9]\d{0,4}) (0|[1-9]\d{0,4})$/;

const SIGNATURE = Buffer.from("\r\n\r\n\0\r\nQUIT\n", "latin1");
const PREAMBLE_BYTES = 16;
/** Of version 2, with TLVs: what fits into the smallest segment that every host takes at once. */
const MAX_BYTES = 536;

/** How version 2 spells the addresses of each family, and how many octets both ends take; others are refused. */
const FAMILIES: ReadonlyMap<number, { readonly bytes: number; readonly client?: (octets: Buffer) => string }> = new Map(
  [
    [0x00, { bytes: 0 }],
    [0x11, { bytes: 12, client: (octets: Buffer) => octets.subarray(0, 4).join(".") }],
    [
      0x21,
      {
        bytes: 36,
        client: (octets: Buffer) => canonicalIpv6(octets.subarray(0, 16).toString("hex").match(/.{4}/g)!.join(":")),
      },
    ],
    [0x31, { bytes: 216 }], // UNIX sockets: no address that anybody asks for.
  ],
);

/** Reads the header that `octets` begin with. */
export function readProxyHeader(octets: Buffer): ProxyHeader | "incomplete" | "missing" | "malformed" {
  if (beginsLike(octets, LINE_START)) return readLine(octets);
  return beginsLike(octets, SIGNATURE) ? readBinary(octets) : "missing";
}

/** Whether `octets` begin with `start`, or are the beginning of it. */
function beginsLike(octets: Buffer, start: Buffer): boolean {
  const bytes = Math.min(octets.length, start.length);
  return octets.compare(start, 0, bytes, 0, bytes) === 0;
}

function readLine(octets: Buffer): ProxyHeader | "incomplete" | "malformed" {
  const end = octets.subarray(0, MAX_LINE_BYTES).indexOf("\r\n");
  if (end < 0) return octets.length < MAX_LINE_BYTES ? "incomplete" : "malformed";
  const line = octets.toString("latin1", 0, end);
  const bytes = end + 2;
  if (UNKNOWN.test(line)) return { bytes, client: undefined };
  const [, family, source, destination, ...ports] = TCP.exec(line) ?? [];
  const isAddress = family === "TCP4" ? isIPv4 : isUnscopedIpv6;
  if (source === undefined || !isAddress(source) || !isAddress(destination!)) return "malformed";
  if (ports.some((port) => Number(port) > 65_535)) return "malformed";
  return { bytes, client: family === "TCP4" ? source : canonicalIpv6(source) };
}

function readBinary(octets: Buffer): ProxyHeader | "incomplete" | "malformed" {
  if (octets.length < PREAMBLE_BYTES) return "incomplete";
  const versionAndCommand = octets[12]!;
  const length = octets.readUInt16BE(14);
  const bytes = PREAMBLE_BYTES + length;
  const isLocal = versionAndCommand === 0x20;
  if ((!isLocal && versionAndCommand !== 0x21) || bytes > MAX_BYTES) return "malformed";
  const family = isLocal ? FAMILIES.get(0) : FAMILIES.get(octets[13]!);
  if (family === undefined || length < family.bytes) return "malformed";
  if (octets.length < bytes) return "incomplete";
  return { bytes, client: family.client?.(octets.subarray(PREAMBLE_BYTES)) };
}

function isUnscopedIpv6(text: string): boolean {
  return isIPv6(text) && !text.includes("%");
}

/** One spelling for one address, whoever wrote it (RFC 5952); the IPv4 one where it stands for that. */
function canonicalIpv6(text: string): string {
  return new SocketAddress({ address: text, family: "ipv6" }).address;
}
