import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { binaryHeader, ipv4, ipv6 } from "../testing/binary-proxy-header.ts";
import { readProxyHeader } from "./proxy-header.ts";

const line = (text: string) => Buffer.from(`${text}\r\n`, "latin1");
const longest = `PROXY UNKNOWN ${"f".repeat(91)}`;

const READ: Readonly<Record<string, readonly [Buffer, string | undefined]>> = {
  "IPv4, version 1": [line("PROXY TCP4 192.0.2.1 192.0.2.2 56324 443"), "192.0.2.1"],
  "IPv6, version 1, in one spelling": [line("PROXY TCP6 2001:DB8:0:0::0001 ::1 0 65535"), "2001:db8::1"],
  "unknown, version 1": [line("PROXY UNKNOWN"), undefined],
  "unknown with anything behind, version 1": [line("PROXY UNKNOWN ffff::1 what ever"), undefined],
  "the longest line": [line(longest), undefined],
  "IPv4, version 2": [binaryHeader(0x21, 0x11, ipv4("192.0.2.1")), "192.0.2.1"],
  "IPv6, version 2": [binaryHeader(0x21, 0x21, ipv6("2001:db8:0:0:0:0:0:1")), "2001:db8::1"],
  "IPv4 in IPv6, version 2": [binaryHeader(0x21, 0x21, ipv6("0:0:0:0:0:ffff:c000:201")), "::ffff:192.0.2.1"],
  "TLVs, which are skipped": [binaryHeader(0x21, 0x11, `${ipv4("192.0.2.1")}\x04\0\x03abc`), "192.0.2.1"],
  "as many octets as may be": [binaryHeader(0x21, 0x11, ipv4("192.0.2.1").padEnd(520, "\0")), "192.0.2.1"],
  "the proxy itself, whatever addresses stand there": [binaryHeader(0x20, 0x11, ipv4("192.0.2.1")), undefined],
  "the proxy itself without addresses": [binaryHeader(0x20, 0, ""), undefined],
  "no family": [binaryHeader(0x21, 0, ""), undefined],
  "a UNIX socket": [binaryHeader(0x21, 0x31, "/run/x".padEnd(216, "\0")), undefined],
};

const MALFORMED: Readonly<Record<string, Buffer>> = {
  "a line that is too long": line(`${longest}f`),
  "another family": line("PROXY UDP4 192.0.2.1 192.0.2.2 1 2"),
  "lower case": line("PROXY tcp4 192.0.2.1 192.0.2.2 1 2"),
  "two spaces": line("PROXY TCP4  192.0.2.1 192.0.2.2 1 2"),
  "a space at the end": line("PROXY TCP4 192.0.2.1 192.0.2.2 1 2 "),
  "no ports": line("PROXY TCP4 192.0.2.1 192.0.2.2"),
  "a port with a zero before it": line("PROXY TCP4 192.0.2.1 192.0.2.2 01 2"),
  "a port that is too large": line("PROXY TCP4 192.0.2.1 192.0.2.2 1 65536"),
  "an address with zeros before its numbers": line("PROXY TCP4 192.000.2.1 192.0.2.2 1 2"),
  "an address of the other family": line("PROXY TCP4 ::1 ::1 1 2"),
  "an address with a zone": line("PROXY TCP6 fe80::1%eth0 ::1 1 2"),
  "a host name": line("PROXY TCP4 localhost 192.0.2.2 1 2"),
  "a line feed alone": Buffer.from("PROXY TCP4 192.0.2.1 192.0.2.2 1 2\n\r\n"),
  "a version 3": binaryHeader(0x31, 0x11, ipv4("192.0.2.1")),
  "another command": binaryHeader(0x22, 0x11, ipv4("192.0.2.1")),
  "a datagram": binaryHeader(0x21, 0x12, ipv4("192.0.2.1")),
  "another family in version 2": binaryHeader(0x21, 0x41, ipv4("192.0.2.1")),
  "too few octets for the addresses": binaryHeader(0x21, 0x21, ipv4("192.0.2.1")),
  "more octets than may be": binaryHeader(0x21, 0x11, ipv4("192.0.2.1").padEnd(521, "\0")),
};

const MISSING: Readonly<Record<string, string>> = {
  "a request": "GET / HTTP/1.1\r\n",
  "a method that begins alike": "PROPFIND / HTTP/1.1\r\n",
  "the beginning of HTTP/2": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
  "the beginning of TLS": "\x16\x03\x01",
  "empty lines": "\r\n\r\n\r\n",
};

describe("a PROXY header", () => {
  for (const [what, [octets, client]] of Object.entries(READ)) {
    it(`is read: ${what}`, () => {
      assert.deepEqual(readProxyHeader(octets), { bytes: octets.length, client });
    });

    it(`is waited for until its last octet, and what follows is left: ${what}`, () => {
      for (let end = 0; end < octets.length; end++)
        assert.equal(readProxyHeader(octets.subarray(0, end)), "incomplete", `${end} octets`);
      assert.deepEqual(readProxyHeader(Buffer.concat([octets, Buffer.from("GET")])), { bytes: octets.length, client });
    });
  }

  for (const [what, octets] of Object.entries(MALFORMED))
    it(`is malformed with ${what}`, () => assert.equal(readProxyHeader(octets), "malformed"));

  for (const [what, text] of Object.entries(MISSING))
    it(`is missing before ${what}`, () => assert.equal(readProxyHeader(Buffer.from(text, "latin1")), "missing"));
});
