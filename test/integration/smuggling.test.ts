/**
 * Ways to make two readers of the same octets see different messages, through a real listener and an upstream that records what it
 * is sent. Each is refused and the connection closed, or becomes exactly the octets that stand here, which can be read in one way
 * only. Between them: the attacks of "HTTP Desync Attacks" (Kettle 2019, 2022, 2025) and RFC 9112 §11.2. What the parsers do with
 * everything else is the matter of test/fuzz; HTTP/2 has a table of its own.
 */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { ok, type RawClient, RawOrigin, TestProxy } from "../../src/proxy/testing/test-proxy.ts";

/** What stands behind every attack: a request that nobody may ever see. */
const SMUGGLED = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
const MARK = "/smuggled";
/** What the gateway writes behind the fields of a request to /. */
const OURS = "X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: a\r\nX-Request-ID: ID\r\n\r\n";

/** Lines, each ended with CRLF. */
const lines = (...texts: readonly string[]) => texts.map((text) => `${text}\r\n`).join("");
const head = (...texts: readonly string[]) => `${lines(...texts)}\r\n`;
const post = (...fields: readonly string[]) => head("POST / HTTP/1.1", "Host: a", ...fields);
const chunked = (body: string, ...fields: readonly string[]) => post("Transfer-Encoding: chunked", ...fields) + body;

interface Refused {
  readonly refused: number;
}
const refused = (status: number): Refused => ({ refused: status });
/** All that the upstream gets of a request, besides what the gateway writes of its own. */
const becomes = (start: string, body = "") => start.replace("\r\n", "\r\nHost: UPSTREAM\r\n") + OURS + body;

const REQUESTS: Readonly<Record<string, Readonly<Record<string, readonly [sent: string, outcome: Refused | string]>>>> =
  {
    "length and coding (CL.TE, TE.CL)": {
      "length before coding": [post("Content-Length: 6", "Transfer-Encoding: chunked") + lines("0", ""), refused(400)],
      "coding before length": [post("Transfer-Encoding: chunked", "Content-Length: 6") + lines("0", ""), refused(400)],
      "a length of zero and a coding": [post("Content-Length: 0", "Transfer-Encoding: chunked"), refused(400)],
      "both, and Connection takes the length away": [
        post("Connection: content-length", "Content-Length: 5", "Transfer-Encoding: chunked") + lines("0", ""),
        refused(400),
      ],
      "Connection takes the length away": [
        `${post("Connection: content-length", "Content-Length: 2")}ab`,
        becomes(lines("POST / HTTP/1.1", "Content-Length: 2"), "ab"),
      ],
      "Connection takes the coding away": [
        chunked(lines("0", ""), "Connection: transfer-encoding"),
        becomes(lines("POST / HTTP/1.1", "Transfer-Encoding: chunked"), lines("0", "")),
      ],
      "Connection takes the host away": [
        head("GET / HTTP/1.1", "Host: a", "Connection: host, x-forwarded-for"),
        becomes(lines("GET / HTTP/1.1")),
      ],
      "a coding on HTTP/1.0": [head("POST / HTTP/1.0", "Host: a", "Transfer-Encoding: chunked"), refused(400)],
    },
    "codings that are read differently (TE.TE)": Object.fromEntries(
      [
        ...["Transfer-Encoding: xchunked", "Transfer-Encoding : chunked", "Transfer-Encoding\t: chunked"],
        ...["Transfer-Encoding: chunked, identity", "Transfer-Encoding: identity, chunked", "Transfer-Encoding: gzip"],
        ...["Transfer-Encoding: chunked, chunked", "Transfer-Encoding: chunked,", "Transfer-Encoding: chunked;a=b"],
        ...["Transfer-Encoding:\x0bchunked", "Transfer-Encoding: chunked\x0c", "Transfer-Encoding: \xa0chunked"],
        ...[
          'Transfer-Encoding: "chunked"',
          "Transfer-Encoding: chunked\t",
          "Transfer-Encoding:",
          " Transfer-Encoding: chunked",
        ],
        ...[
          "Transfer-Encoding:\r\n chunked",
          "X: y\r\n\tTransfer-Encoding: chunked",
          "X: y\nTransfer-Encoding: chunked",
        ],
        ...[
          "X: y\rTransfer-Encoding: chunked",
          "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
          "Transfer-Encoding: chun\0ked",
        ],
        ...[
          "Transfer-Encoding\0: chunked",
          "Transfer-Encoding: cow\r\nTransfer-Encoding: chunked",
          "Transfer\xadEncoding: chunked",
        ],
      ].map((field) => [JSON.stringify(field), [post(field) + lines("0", ""), refused(400)]] as const),
    ),
    "lengths that are read differently": {
      ...Object.fromEntries(
        [
          ...[
            "5, 5",
            "5,6",
            "+5",
            "-0",
            "0x5",
            "5 5",
            "5.0",
            "5e0",
            "",
            "\x0b5",
            "5\xa0",
            "99999999999999999999",
            "5\0",
          ],
          ...["5\r\nContent-Length: 6", "5\r\nContent-Length: 5", "\r\n 5", "5\r\n 6", "18446744073709551621"],
        ].map((value) => [JSON.stringify(value), [`${post(`Content-Length: ${value}`)}abcde`, refused(400)]] as const),
      ),
      "a space before its colon": [`${post("Content-Length : 5")}abcde`, refused(400)],
      "zeros before it": [
        `${post("Content-Length: 002")}ab`,
        becomes(lines("POST / HTTP/1.1", "Content-Length: 2"), "ab"),
      ],
      "an underscore in its name": [
        post("Content_Length: 36"),
        becomes(lines("POST / HTTP/1.1", "Content_Length: 36")),
      ],
    },
    "bodies that one side does not see (CL.0, 0.CL)": {
      "a body with a GET": [
        `${head("GET / HTTP/1.1", "Host: a", "Content-Length: 2")}ab`,
        becomes(lines("GET / HTTP/1.1", "Content-Length: 2"), "ab"),
      ],
      "no length at all": [post(), becomes(lines("POST / HTTP/1.1"))],
      "a length of zero": [post("Content-Length: 0"), becomes(lines("POST / HTTP/1.1", "Content-Length: 0"))],
      "a length with a body of an HTTP/1.0 client": [
        `${head("POST / HTTP/1.0", "Host: a", "Connection: keep-alive", "Content-Length: 2")}ab`,
        becomes(lines("POST / HTTP/1.1", "Content-Length: 2"), "ab"),
      ],
      "an expectation without a body": [
        head("GET / HTTP/1.1", "Host: a", "Expect: 100-continue"),
        becomes(lines("GET / HTTP/1.1")),
      ],
      "an expectation of something else": [post("Content-Length: 2", "Expect: y 100-continue"), refused(417)],
    },
    "chunks that are read differently": {
      ...Object.fromEntries(
        [
          ...[
            "0x1\r\na\r\n",
            "+1\r\na\r\n",
            "-1\r\na\r\n",
            "1 \r\na\r\n",
            " 1\r\na\r\n",
            "1_0\r\na\r\n",
            "g\r\n",
            "\r\na\r\n",
          ],
          ...[
            "1\na\r\n",
            "1\ra\r\n",
            "1\r\na\n",
            "1\r\naX",
            "1\r\nab\r\n",
            "1;\na\r\n",
            "1;x\0\r\na\r\n",
            '1;x="\n"\r\na\r\n',
          ],
          ...[
            "10000000000000001\r\na\r\n",
            "ffffffffffffffff\r\na\r\n",
            "1;;x\r\na\r\n",
            "1; x\r\na\r\n",
            "1 ;x\r\na\r\n",
          ],
          ...[
            "0\r\nContent-Length: 9\r\n\r\n",
            "0\r\nTransfer-Encoding: chunked\r\n\r\n",
            "0\r\nX : y\r\n\r\n",
            "0\r\nX: y\n\r\n",
          ],
          ...[
            "0\r\n folded\r\n\r\n",
            "0\n\r\n",
            "0\r\n\n",
            "0\r\nX: a\0b\r\n\r\n",
            "0\r\nX\r\n\r\n",
            "0\r\nConnection: close\r\n\r\n",
          ],
        ].map((body) => [JSON.stringify(body), [chunked(body), refused(400)]] as const),
      ),
      "extensions, which end here": [
        chunked(lines("2;a=b;c", "ab", "0;d", "")),
        becomes(lines("POST / HTTP/1.1", "Transfer-Encoding: chunked"), lines("2", "ab", "0", "")),
      ],
      "zeros before a size": [
        chunked(lines("0002", "ab", "000", "")),
        becomes(lines("POST / HTTP/1.1", "Transfer-Encoding: chunked"), lines("2", "ab", "0", "")),
      ],
      "a coding in capitals": [
        post("TRANSFER-ENCODING: Chunked") + lines("A", "0123456789", "0", ""),
        becomes(lines("POST / HTTP/1.1", "Transfer-Encoding: chunked"), lines("a", "0123456789", "0", "")),
      ],
      "trailers that speak for the head": [
        chunked(lines("0", "Host: b", "X-Forwarded-For: 1.2.3.4", "Authorization: x", "")),
        becomes(lines("POST / HTTP/1.1", "Transfer-Encoding: chunked"), lines("0", "")),
      ],
    },
    "lines and octets": {
      "a folded line": [head("GET / HTTP/1.1", "Host: a", "X: y", " z"), refused(400)],
      "a folded first field": [head("GET / HTTP/1.1", " Host: a"), refused(400)],
      "a line feed alone": ["GET / HTTP/1.1\nHost: a\n\n", refused(400)],
      "a carriage return in a value": [head("GET / HTTP/1.1", "Host: a", "X: y\rz"), refused(400)],
      "NUL in a value": [head("GET / HTTP/1.1", "Host: a", "X: y\0z"), refused(400)],
      "NUL in a name": [head("GET / HTTP/1.1", "Host: a", "X\0: y"), refused(400)],
      "a field without a colon": [head("GET / HTTP/1.1", "Host: a", "X"), refused(400)],
      "a field without a name": [head("GET / HTTP/1.1", "Host: a", ": y"), refused(400)],
      "two empty lines before the request": [`\r\n\r\n${head("GET / HTTP/1.1", "Host: a")}`, refused(400)],
      "one empty line before the request": [
        `\r\n${head("GET / HTTP/1.1", "Host: a")}`,
        becomes(lines("GET / HTTP/1.1")),
      ],
      "a tab in the request line": [head("GET\t/ HTTP/1.1", "Host: a"), refused(400)],
      "two spaces in the request line": [head("GET  / HTTP/1.1", "Host: a"), refused(400)],
      "a space behind the version": [head("GET / HTTP/1.1 ", "Host: a"), refused(400)],
      "a request of HTTP/0.9": ["GET /\r\n", refused(400)],
      "a newer version": [head("GET / HTTP/1.2", "Host: a"), refused(505)],
      "a space in the target": [head("GET /a b HTTP/1.1", "Host: a"), refused(400)],
      "a request line in the target": [
        head("GET /?x=%0d%0aHost:%20b HTTP/1.1", "Host: a"),
        becomes(lines("GET /?x=%0d%0aHost:%20b HTTP/1.1")),
      ],
      "blanks around a value": [
        head("GET / HTTP/1.1", "Host: a", "X:\t y \t"),
        becomes(lines("GET / HTTP/1.1", "X: y")),
      ],
    },
    "hosts and targets": {
      "no host": [head("GET / HTTP/1.1"), refused(400)],
      "two hosts": [head("GET / HTTP/1.1", "Host: a", "Host: b"), refused(400)],
      "the same host twice": [head("GET / HTTP/1.1", "Host: a", "Host: a"), refused(400)],
      "a host with a path": [head("GET / HTTP/1.1", "Host: a/b"), refused(400)],
      "a host with a user": [head("GET / HTTP/1.1", "Host: x@a"), refused(400)],
      "a list of hosts": [head("GET / HTTP/1.1", "Host: a, b"), refused(400)],
      "a host in the target, which overrules": [
        head("GET http://a/ HTTP/1.1", "Host: b"),
        becomes(lines("GET / HTTP/1.1")),
      ],
      "another scheme in the target": [head("GET gopher://a/ HTTP/1.1", "Host: a"), refused(400)],
      "a user in the target": [head("GET http://b@a/ HTTP/1.1", "Host: a"), refused(400)],
      "a path above the root": [head("GET /../x HTTP/1.1", "Host: a"), refused(400)],
      "a tunnel": [head("CONNECT a:80 HTTP/1.1", "Host: a:80"), refused(501)],
      "dots in the path, plain and encoded": [
        head("GET /x/.%2e/./y%2Fz HTTP/1.1", "Host: a"),
        becomes(lines("GET /y%2Fz HTTP/1.1")),
      ],
    },
    "switches of protocol": {
      "an upgrade to HTTP/2 (h2c)": [
        head(
          "GET / HTTP/1.1",
          "Host: a",
          "Connection: Upgrade, HTTP2-Settings",
          "Upgrade: h2c",
          "HTTP2-Settings: AAMAAABk",
        ),
        becomes(lines("GET / HTTP/1.1")),
      ],
      "an upgrade that the route does not allow": [
        head("GET / HTTP/1.1", "Host: a", "Connection: Upgrade", "Upgrade: tls/1.0"),
        becomes(lines("GET / HTTP/1.1")),
      ],
      "the beginning of HTTP/2 behind a request": [`${head("PRI * HTTP/2.0")}SM\r\n\r\n`, refused(505)],
    },
  };

/** Sends on a connection that has served already, where the gateway cannot take it for HTTP/2. */
async function sendBehindAnother(client: RawClient, text: string): Promise<void> {
  await client.get("/first").until(/x$/);
  client.send(text + SMUGGLED);
}

describe("a request that is read in two ways", () => {
  let gateway: TestProxy;
  let upstream: RawOrigin;

  before(async () => {
    upstream = await new RawOrigin((socket, all) => {
      if (!isWhole(lastRequest(all))) return;
      socket.write(ok("x"));
    }).start();
    gateway = new TestProxy();
    await gateway.apply({ routes: { all: { path: "/", path_prefix: true, backends: [{ url: upstream.url }] } } });
  });
  after(async () => {
    await gateway.stop();
    await upstream.stop();
  });

  for (const [kind, cases] of Object.entries(REQUESTS))
    describe(`by ${kind}`, () => {
      for (const [name, [sent, outcome]] of Object.entries(cases))
        if (typeof outcome === "string") it(`is written anew: ${name}`, () => isWritten(sent, outcome));
        else it(`is refused with ${outcome.refused}, and closed: ${name}`, () => isRefused(sent, outcome.refused));
    });

  async function isRefused(sent: string, status: number): Promise<void> {
    upstream.received.fill("");
    const client = gateway.client();
    await sendBehindAnother(client, sent);
    const answer = await client.untilClosed();
    assert.match(answer, new RegExp(`^HTTP/1.1 ${status} .*\r\nConnection: close\r\n`, "s"));
    assert.equal(answer.match(/HTTP\/1\.1 \d{3} /g)?.length, 1, "one answer, and none to what follows");
    const arrived = upstream.received.join("");
    assert.doesNotMatch(arrived, new RegExp(MARK));
    assert.doesNotMatch(
      arrived.slice(arrived.indexOf("POST")),
      /(?:^|\r\n)0\r\n\r\n/,
      "no request is complete upstream",
    );
  }

  async function isWritten(sent: string, expected: string): Promise<void> {
    upstream.received.fill("");
    const client = gateway.client();
    client.send(sent);
    await client.until(/x$/);
    assert.equal(normalised(upstream.received.join("")), expected);
    client.close();
  }

  const normalised = (octets: string) =>
    octets.replace(/X-Request-ID: [\w-]{36}/g, "X-Request-ID: ID").replaceAll(`127.0.0.1:${upstream.port}`, "UPSTREAM");
});

/** From the last request line on. */
function lastRequest(all: string): string {
  return all.slice(Math.max(all.lastIndexOf("GET /"), all.lastIndexOf("POST /")));
}

function isWhole(request: string): boolean {
  const [top = "", body] = request.split(/\r\n\r\n(.*)/s);
  if (body === undefined) return false;
  if (/transfer-encoding/i.test(top)) return /(?:^|\r\n)0\r\n(?:.+\r\n)*\r\n$/.test(body);
  return body.length >= Number(/content-length: (\d+)/i.exec(top)?.[1] ?? 0);
}

const EVIL = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil";
/** What the client gets instead of an answer that is not valid. */
const BAD_GATEWAY = "502";
/** The answer began before it turned out to be wrong: it ends without its end, so that nobody takes it for whole. */
const CUT = "cut";

interface Answered {
  /** What the client gets, without Date and X-Request-ID. */
  readonly gets: string;
  /** Whether the upstream's connection is used again. */
  readonly isReused: boolean;
}
const used = (gets: string): Answered => ({ gets, isReused: true });
const dropped = (gets: string): Answered => ({ gets, isReused: false });
const hi = `${head("HTTP/1.1 200 OK", "Content-Length: 2")}hi`;
const hiInChunks = head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked") + lines("2", "hi", "0", "");

/** What an upstream answers to a request, and what becomes of it. */
const RESPONSES: Readonly<
  Record<string, Readonly<Record<string, readonly [answer: string, outcome: Answered, method?: string]>>>
> = {
  "of two lengths": {
    ...Object.fromEntries(
      [
        ...["Content-Length: 2\r\nTransfer-Encoding: chunked", "Transfer-Encoding: chunked\r\nContent-Length: 2"],
        ...["Content-Length: 2\r\nContent-Length: 3", "Content-Length: 2\r\nContent-Length: 2", "Content-Length: 2, 2"],
        ...[
          "Content-Length: +2",
          "Content-Length: 0x2",
          "Content-Length : 2",
          "Content-Length: 2\r\n 3",
          "Content-Length:",
        ],
        ...["Transfer-Encoding: gzip, chunked", "Transfer-Encoding: chunked, identity", "Transfer-Encoding : chunked"],
        ...[
          "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
          "X: a\rb",
          "X: a\nb",
          "X: a\0b",
          "X : a",
          ": a",
        ],
      ].map(
        (fields) =>
          [JSON.stringify(fields), [`${head("HTTP/1.1 200 OK", fields)}hi${EVIL}`, dropped(BAD_GATEWAY)]] as const,
      ),
    ),
    "a coding on HTTP/1.0": [
      head("HTTP/1.0 200 OK", "Transfer-Encoding: chunked") + lines("2", "hi", "0", ""),
      dropped(BAD_GATEWAY),
    ],
  },
  "with a body where none may be": {
    "HEAD with a length": [
      head("HTTP/1.1 200 OK", "Content-Length: 2"),
      used(head("HTTP/1.1 200 OK", "Content-Length: 2")),
      "HEAD",
    ],
    "HEAD with a body": [
      head("HTTP/1.1 200 OK", `Content-Length: ${EVIL.length}`) + EVIL,
      dropped(head("HTTP/1.1 200 OK", `Content-Length: ${EVIL.length}`)),
      "HEAD",
    ],
    "HEAD with chunks": [
      head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked") + lines("2", "hi", "0", ""),
      dropped(head("HTTP/1.1 200 OK")),
      "HEAD",
    ],
    "204 with a length": [
      head("HTTP/1.1 204 No Content", `Content-Length: ${EVIL.length}`) + EVIL,
      dropped(head("HTTP/1.1 204 No Content")),
    ],
    "204 with chunks": [
      head("HTTP/1.1 204 No Content", "Transfer-Encoding: chunked") + lines("0", ""),
      dropped(head("HTTP/1.1 204 No Content")),
    ],
    "304 with a body": [
      head("HTTP/1.1 304 Not Modified", `Content-Length: ${EVIL.length}`) + EVIL,
      dropped(head("HTTP/1.1 304 Not Modified", `Content-Length: ${EVIL.length}`)),
    ],
    "304 with a length": [
      head("HTTP/1.1 304 Not Modified", "Content-Length: 9"),
      used(head("HTTP/1.1 304 Not Modified", "Content-Length: 9")),
    ],
  },
  "with more behind it": {
    "another answer behind a length": [hi + EVIL, dropped(hi)],
    "another answer behind the last chunk": [hiInChunks + EVIL, dropped(hiInChunks)],
    "an empty line behind it": [`${hi}\r\n`, dropped(hi)],
    "an interim answer behind it": [`${hi}${head("HTTP/1.1 100 Continue")}`, dropped(hi)],
  },
  "in chunks that are read differently": {
    ...Object.fromEntries(
      [
        "2 \r\nhi\r\n",
        "0x2\r\nhi\r\n",
        "+2\r\nhi\r\n",
        "2\nhi\r\n",
        '2;a="\r\nhi\r\n',
        "\r\n",
        "10000000000000002\r\nhi\r\n",
      ].map(
        (chunk) =>
          [
            JSON.stringify(chunk),
            [`${head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked")}${chunk}${lines("0", "")}`, dropped(CUT)],
          ] as const,
      ),
    ),
    "a chunk that is longer than it says": [
      `${head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked")}1\r\nhi\r\n0\r\n\r\n`,
      dropped(CUT),
    ],
    "a length among the trailers": [
      head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked") + lines("2", "hi", "0", "Content-Length: 9", ""),
      dropped(CUT),
    ],
    "extensions and trailers that nobody asked for": [
      head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked") + lines("2;a=b", "hi", "0", "X-T: y", ""),
      used(hiInChunks),
    ],
  },
  "that splits": {
    "a carriage return in the phrase": [`${head("HTTP/1.1 200 O\rK", "Content-Length: 2")}hi`, dropped(BAD_GATEWAY)],
    "a line feed in the phrase": [`${head("HTTP/1.1 200 O\nK", "Content-Length: 2")}hi`, dropped(BAD_GATEWAY)],
    "an answer in a value": [
      `${head("HTTP/1.1 200 OK", "Location: /%0d%0aSet-Cookie:x", "Content-Length: 2")}hi`,
      used(`${head("HTTP/1.1 200 OK", "Location: /%0d%0aSet-Cookie:x", "Content-Length: 2")}hi`),
    ],
    "a folded line": [`${head("HTTP/1.1 200 OK", "X: a", " b", "Content-Length: 2")}hi`, dropped(BAD_GATEWAY)],
    "four digits": [`${head("HTTP/1.1 2000 OK", "Content-Length: 2")}hi`, dropped(BAD_GATEWAY)],
    "HTTP/0.9": ["hi", dropped(BAD_GATEWAY)],
    "HTTP/2": [`${head("HTTP/2.0 200 OK", "Content-Length: 2")}hi`, dropped(BAD_GATEWAY)],
  },
  "in steps": {
    "early hints before it": [
      head("HTTP/1.1 103 Early Hints", "Link: </x>") + hi,
      used(head("HTTP/1.1 103 Early Hints", "Link: </x>") + hi),
    ],
    "100 that nobody waits for": [head("HTTP/1.1 100 Continue") + hi, used(hi)],
    "a length in an interim answer": [
      head("HTTP/1.1 103 Early Hints", `Content-Length: ${EVIL.length}`) + hi,
      used(head("HTTP/1.1 103 Early Hints") + hi),
    ],
    "interim answers without an end": [head("HTTP/1.1 102 Processing").repeat(100) + hi, dropped(BAD_GATEWAY)],
    "an interim answer that closes": [head("HTTP/1.1 103 Early Hints", "Connection: close") + hi, dropped(BAD_GATEWAY)],
    "a switch of protocols that nobody asked for": [
      head("HTTP/1.1 101 Switching Protocols", "Connection: Upgrade", "Upgrade: websocket") + EVIL,
      dropped(BAD_GATEWAY),
    ],
  },
  "that says how long the connection lives": {
    "it closes": [`${head("HTTP/1.1 200 OK", "Connection: close", "Content-Length: 2")}hi`, dropped(hi)],
    "HTTP/1.0": [`${head("HTTP/1.0 200 OK", "Content-Length: 2")}hi`, dropped(hi)],
    "Connection takes the length away": [
      `${head("HTTP/1.1 200 OK", "Connection: content-length", "Content-Length: 2")}hi`,
      used(hi),
    ],
  },
};

describe("a response that is read in two ways", () => {
  let gateway: TestProxy;
  let upstream: RawOrigin;
  let answer = "";
  let answeredBy = -1;

  before(async () => {
    upstream = await new RawOrigin((socket, all, connection) => {
      if (!all.endsWith("\r\n\r\n")) return;
      if (all.includes("/next")) {
        answeredBy = connection;
        socket.write(ok("next", "Connection: close"), "latin1");
      } else socket.write(answer, "latin1");
    }).start();
    gateway = new TestProxy();
    await gateway.apply({ routes: { all: { path: "/", path_prefix: true, backends: [{ url: upstream.url }] } } });
  });
  after(async () => {
    await gateway.stop();
    await upstream.stop();
  });

  for (const [kind, cases] of Object.entries(RESPONSES))
    describe(kind, () => {
      for (const [name, [sent, outcome, method]] of Object.entries(cases))
        it(`${name}: ${outcomeOf(outcome)}`, () => isAnswered(sent, outcome, method));
    });

  async function isAnswered(sent: string, { gets, isReused }: Answered, method = "GET"): Promise<void> {
    answer = sent;
    const connections = upstream.received.length;
    const client = gateway.client().send(head(`${method} / HTTP/1.1`, "Host: a", "Connection: close"));
    const received = await client.untilClosed();
    if (gets === BAD_GATEWAY) assert.match(received, /(?:^|\r\n\r\n)HTTP\/1.1 502 .*RW_UPSTREAM_INVALID/s);
    else if (gets === CUT) assert.doesNotMatch(received, /\r\n0\r\n\r\n$/, "it looks whole");
    else assert.equal(withoutOurs(received), gets);
    assert.doesNotMatch(received, /evil/);
    // The next request gets its own answer, on the same connection or on a new one.
    assert.match(await gateway.client().get("/next", "Connection: close").untilClosed(), /\r\n\r\nnext$/);
    assert.equal(
      answeredBy === connections,
      isReused,
      isReused ? "the connection is used again" : "it is not used again",
    );
  }
});

function outcomeOf({ gets, isReused }: Answered): string {
  if (gets === BAD_GATEWAY) return "502, and the upstream's connection is closed";
  if (gets === CUT) return "cut, and the upstream's connection is closed";
  return isReused ? "passed on" : "passed on, and the upstream's connection is not used again";
}

/** Without what the gateway adds to every answer. */
function withoutOurs(answer: string): string {
  return answer.replace(/(?:Date: .*|Connection: close|X-Request-ID: .*)\r\n/g, "");
}
