/**
 * Clients that want a node to run out of something: what it holds for them stays within bounds, and others are served meanwhile. The
 * bounds are generous, but what floods sends or asks for more than it may make the process grow. What one attack made it grow the next
 * one finds there, so there is a bound for all of them, too.
 */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server, type ServerResponse } from "node:http";
import { createServer as createHttp2Server, type Http2Server } from "node:http2";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { block, FRAME, frame, PREFACE } from "../../src/proxy/testing/http2-client.ts";
import { createAuthority } from "../support/certificates.ts";
import { Member } from "../support/cluster.ts";
import { eventually } from "../support/eventually.ts";
import { IllClients } from "../support/ill-clients.ts";
import { residentBytes } from "../support/resident-memory.ts";

const MB = 1_048_576;
/** How often another client asks while an attack goes on. */
const ASKED = 20;
const MAX_GROWTH_IN_ALL_MB = 400;

const POST = "POST /silent HTTP/1.1\r\nHost: a\r\n";
const END_STREAM = 1;
const END_HEADERS = 4;

interface Stats {
  readonly active_connections: number;
  readonly workers: readonly { readonly restarts: number }[];
}

interface Attack {
  /** By how much the process may grow. */
  readonly maxGrowthMb: number;
  readonly isSecure?: boolean;
  /** Resolves when the attack is in full swing. */
  begin(clients: IllClients): Promise<void>;
  /** What has become of it in the end, if that is more than waiting. */
  end?(clients: IllClients): boolean;
}

const ATTACKS: Readonly<Record<string, Attack>> = {
  "thousands of connections that say nothing": {
    maxGrowthMb: 100,
    begin: async (clients) => void (await clients.connect(3_000, "")),
  },
  "heads that never end, a line at a time (slowloris)": {
    maxGrowthMb: 120,
    async begin(clients) {
      const slow = await clients.connect(1_000, `GET / HTTP/1.1\r\nHost: a\r\nX: ${"y".repeat(8_000)}\r\n`);
      clients.trickle(slow, "X: y\r\n");
    },
  },
  "bodies that never end, an octet at a time (slow POST)": {
    maxGrowthMb: 150,
    async begin(clients) {
      const slow = await clients.connect(500, `${POST}Content-Length: 1000000\r\n\r\n`);
      clients.trickle(slow, "x");
    },
  },
  "floods of header lines": {
    maxGrowthMb: 100,
    async begin(clients) {
      clients.flood(await clients.connect(100, "GET / HTTP/1.1\r\n"), "X: y\r\n".repeat(10_000));
    },
    end: ({ answers }) => answers.get("HTTP/1.1 431") === 100,
  },
  "endless bodies for an upstream that does not read": {
    maxGrowthMb: 150,
    async begin(clients) {
      const floods = await clients.connect(100, `${POST}Transfer-Encoding: chunked\r\n\r\n`);
      clients.flood(floods, `100000\r\n${"x".repeat(MB)}\r\n`);
    },
  },
  "clients that ask for an endless answer and read nothing": {
    maxGrowthMb: 150,
    async begin(clients) {
      for (const socket of await clients.connect(200, "GET /endless HTTP/1.1\r\nHost: a\r\n\r\n")) socket.pause();
    },
  },
  "hundreds of requests on each connection at once (pipelining), answers unread": {
    maxGrowthMb: 100,
    async begin(clients) {
      const sockets = await clients.connect(100, "");
      for (const socket of sockets) socket.pause();
      clients.flood(sockets, "GET / HTTP/1.1\r\nHost: a\r\n\r\n".repeat(2_000));
    },
  },
  "handshakes that never end": {
    maxGrowthMb: 150,
    isSecure: true,
    begin: async (clients) => void (await clients.connect(1_000, "\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03")),
  },
  "HTTP/2 requests that are taken back at once (rapid reset)": {
    maxGrowthMb: 150,
    async begin(clients) {
      clients.flood(await clients.connect(50, PREFACE), requestsTakenBack(2_000));
    },
    end: ({ closed }) => closed === 50,
  },
  "HTTP/2 settings and pings without an end": {
    maxGrowthMb: 150,
    async begin(clients) {
      const cheap = frame(FRAME.settings, 0, 0, "") + frame(FRAME.ping, 0, 0, "12345678");
      clients.flood(await clients.connect(50, PREFACE), cheap.repeat(2_000));
    },
    end: ({ closed }) => closed === 50,
  },
  "HTTP/2 requests for endless answers, a hundred on each connection, and no window for them": {
    maxGrowthMb: 250,
    begin: async (clients) => void (await clients.connect(5, asking("/endless", 0))),
  },
  "HTTP/2 requests for endless answers, all windows open, and nothing read": {
    maxGrowthMb: 250,
    async begin(clients) {
      for (const socket of await clients.connect(5, asking("/endless", 2 ** 31 - 1))) socket.pause();
    },
  },
  "HTTP/2 requests that open windows an octet at a time": {
    maxGrowthMb: 150,
    async begin(clients) {
      const sockets = await clients.connect(5, asking("/endless", 0));
      const crumb = frame(FRAME.windowUpdate, 0, 1, "\0\0\0\x01") + frame(FRAME.windowUpdate, 0, 0, "\0\0\0\x01");
      clients.flood(sockets, crumb.repeat(1_000));
    },
  },
  "HTTP/2 uploads, a hundred on each connection, for an upstream that does not read": {
    maxGrowthMb: 150,
    begin: async (clients) => clients.upload(5, 100, "/silent/http2"),
  },
  "HTTP/2 headers that go on and on (CONTINUATION)": {
    maxGrowthMb: 150,
    async begin(clients) {
      const begun = frame(FRAME.headers, 0, 1, block([[":method", "GET"]]));
      const more = frame(FRAME.continuation, 0, 1, block([["x-a", "y".repeat(100)]]).repeat(100));
      clients.flood(await clients.connect(50, PREFACE + begun), more.repeat(20));
    },
    end: ({ closed }) => closed === 50,
  },
};

/** Opens every window as far as it goes, or not at all. */
function asking(path: string, windowBytes: number): string {
  const window = String.fromCharCode(
    windowBytes >>> 24,
    (windowBytes >>> 16) & 255,
    (windowBytes >>> 8) & 255,
    windowBytes & 255,
  );
  const widen = windowBytes > 0 ? frame(FRAME.windowUpdate, 0, 0, "\x7f\xff\0\0") : "";
  const head = block([
    [":method", "GET"],
    [":scheme", "http"],
    [":path", path],
    [":authority", "a"],
  ]);
  const streams = Array.from({ length: 100 }, (_, at) =>
    frame(FRAME.headers, END_STREAM | END_HEADERS, 2 * at + 1, head),
  );
  return PREFACE + frame(FRAME.settings, 0, 0, `\0\x04${window}`) + widen + streams.join("");
}

function requestsTakenBack(count: number): string {
  const request = block([
    [":method", "GET"],
    [":scheme", "http"],
    [":path", "/silent"],
    [":authority", "a"],
  ]);
  return Array.from({ length: count }, (_, index) => {
    const stream = 2 * index + 1;
    return (
      frame(FRAME.headers, END_STREAM | END_HEADERS, stream, request) + frame(FRAME.rstStream, 0, stream, "\0\0\0\x08")
    );
  }).join("");
}

describe("a node whose clients mean it ill", {
  skip: process.platform === "linux" ? false : "resident memory is read from /proc, which only Linux has",
}, () => {
  const directory = mkdtempSync(join(tmpdir(), "runway-hostile-"));
  let origin: Server;
  let http2Origin: Http2Server;
  let member: Member;
  let atRest = 0;

  before(async () => {
    origin = startOrigin();
    // Reads of an upload what the first window has, however much room a kernel would have for it.
    http2Origin = createHttp2Server(() => {}).listen(0, "127.0.0.1");
    await eventually("the origins listen", () => origin.listening && http2Origin.listening);
    const { certFile, keyFile } = await (await createAuthority(directory, "authority")).issue("server", {
      commonName: "localhost",
    });
    const http =
      "http: { read_header_timeout: 10m, read_timeout: 10m, write_timeout: 10m, idle_timeout: 10m, max_connections: 0 }";
    const http2Port = (http2Origin.address() as AddressInfo).port;
    const backends = `backends: [{ url: "http://127.0.0.1:${(origin.address() as AddressInfo).port}" }]`;
    const file = join(directory, "runway.yaml");
    writeFileSync(
      file,
      `admin: { port: 0 }
workers: 1
transport: { max_conns_per_host: 1000 }
listeners:
  - { id: http, address: "127.0.0.1:0", ${http} }
  - { id: https, address: "127.0.0.1:0", ${http}, tls: { enabled: true, cert_file: ${certFile}, key_file: ${keyFile}, handshake_timeout: 10m } }
routes:
  - { id: silent, path: /silent, timeout_policy: { request: 5s }, ${backends} }
  - { id: silent-http2, path: /silent/http2, backends: [{ url: "http://127.0.0.1:${http2Port}", http2: true }] }
  - { id: all, path: /, path_prefix: true, ${backends} }
`,
    );
    member = new Member("hostile", file);
    await member.started();
    for (let count = 0; count < 200; count++) assert.equal((await member.get("/")).status, 200);
    atRest = residentBytes(member.process.pid);
  });
  after(async () => {
    await member.process.end("SIGKILL");
    origin.closeAllConnections();
    origin.close();
    http2Origin.close();
    rmSync(directory, { recursive: true, force: true });
  });

  for (const [what, { maxGrowthMb, isSecure, begin, end }] of Object.entries(ATTACKS))
    it(`serves others and grows by less than ${maxGrowthMb} MB: ${what}`, async () => {
      const port = Number(new URL(await member.url("/", isSecure ? "https" : "http")).port);
      const before = residentBytes(member.process.pid);
      using clients = new IllClients(port);
      await begin(clients);
      let peak = before;
      for (let count = 0; count < ASKED; count++) {
        assert.equal((await member.get("/")).status, 200);
        peak = Math.max(peak, residentBytes(member.process.pid));
        await pause(20);
      }
      if (end !== undefined) await eventually("the end of the attack", () => end(clients));
      const grownMb = Math.round((peak - before) / MB);
      assert.ok(grownMb < maxGrowthMb, `it grew by ${grownMb} MB, ${clients.sentBytes} octets were taken`);
    });

  it(`is none the worse for it afterwards, and has grown by less than ${MAX_GROWTH_IN_ALL_MB} MB in all`, async () => {
    await eventually("nobody is left", async () => (await stats()).active_connections === 0);
    assert.equal((await stats()).workers[0]?.restarts, 0);
    assert.equal((await member.get("/")).status, 200);
    assert.ok(residentBytes(member.process.pid) - atRest < MAX_GROWTH_IN_ALL_MB * MB);
  });

  async function stats(): Promise<Stats> {
    return (await (await member.admin("/stats")).json()) as Stats;
  }
});

/** Answers `/` at once, reads nothing at `/silent`, and never ends at `/endless`. */
function startOrigin(): Server {
  const piece = Buffer.alloc(65_536, "x");
  const endless = (response: ServerResponse) => {
    const fill = () => {
      while (!response.destroyed && response.write(piece));
    };
    response.on("drain", fill);
    fill();
  };
  return createServer((request, response) => {
    if (request.url === "/") response.end("hi");
    else if (request.url === "/endless") endless(response);
  }).listen(0, "127.0.0.1");
}
