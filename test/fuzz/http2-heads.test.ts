import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { describe, it } from "node:test";
import { readRequestHead } from "../../src/http/http2/request-head.ts";
import { readResponseHead } from "../../src/http/http2/response-head.ts";
import { RequestParser } from "../../src/http/request-parser.ts";
import { ResponseParser } from "../../src/http/response-parser.ts";
import { writeForwardedRequest } from "../../src/proxy/exchange/forwarded-request.ts";
import { SeededRandom } from "../simulation/seeded-random.ts";
import { mostly } from "./choice.ts";
import { LlhttpReader } from "./llhttp-reader.ts";

/** `SEED=n` runs the cases of that seed again, `CASES=n` another number of them. */
const SEED = Number(process.env.SEED ?? randomInt(2 ** 31));
const CASES = Number(process.env.CASES ?? 60_000);
const MAX_BYTES = 65_536;

type List = string[];

const NAMES = ["accept", "x-a", "cookie", "te", "content-type", "user-agent", "x-forwarded-for", "trailer"];
const ODD_NAMES = [
  ...[
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "upgrade",
    "keep-alive",
    "proxy-connection",
    "expect",
  ],
  ...["X-A", "x a", "x:a", "", "x\r\ny", "x\0", ":path", ":authority", ":status", ":protocol", "é", "x-a\n", " x"],
];
const VALUES = ["a", "trailers", "", "0", "5", "a, b", "chunked", "close", "a b", "\xe9"];
const ODD_VALUES = [
  ...["a\r\nhost: b", "a\nb", "a\rb", "a\0b", "\r\n\r\nGET / HTTP/1.1\r\nHost: b\r\n\r\n", "\x7f", " a ", "\ta"],
  ...["1\r\n", "+1", "1, 1", "0x1", "identity, chunked", "100-continue", "x".repeat(2_000)],
];
const METHODS = ["GET", "POST", "HEAD", "PUT", "OPTIONS", "PURGE"];
const ODD_METHODS = [
  "",
  "get",
  "CONNECT",
  "GET ",
  "G ET",
  "GET / HTTP/1.1\r\nHost: b\r\n\r\nGET",
  "GET\r\n",
  "\0",
  "PRI",
];
const PATHS = ["/", "/a?b=c", "/a/../b", "/%2e%2e/a", "*", "/a;b", "/~"];
const ODD_PATHS = [
  "",
  "a",
  "http://b/",
  "//b",
  "/ HTTP/1.1\r\nHost: b\r\n\r\n",
  "/a b",
  "/a\r\nx: y",
  "/\0",
  "/#a",
  "/\xe9",
  "?a",
];
const AUTHORITIES = ["a", "a.test:8080", "[::1]:1"];
const ODD_AUTHORITIES = ["", "a b", "a\r\nx: y", "a@b", "a/b", "a,b", "a:b", "\0"];
const STATUSES = ["200", "204", "304", "404", "103", "100"];
const ODD_STATUSES = ["", "20", "2000", "600", "099", "2x0", "200 OK", "200\r\nx: y", "101"];

function writeFields(random: SeededRandom, list: List): void {
  while (random.chance(0.7)) {
    const name = mostly(random, NAMES, ODD_NAMES);
    list.splice(
      random.chance(0.05) ? 2 * random.below(list.length / 2 + 1) : list.length,
      0,
      name,
      mostly(random, VALUES, ODD_VALUES),
    );
  }
}

function writeRequest(random: SeededRandom): List {
  const list = [
    ":method",
    mostly(random, METHODS, ODD_METHODS),
    ":scheme",
    mostly(random, ["https", "http"], ["", "x\r\n"]),
  ];
  if (random.chance(0.95)) list.push(":path", mostly(random, PATHS, ODD_PATHS));
  if (random.chance(0.9)) list.push(":authority", mostly(random, AUTHORITIES, ODD_AUTHORITIES));
  if (random.chance(0.1)) list.push("host", mostly(random, AUTHORITIES, ODD_AUTHORITIES));
  if (random.chance(0.2)) list.push("content-length", mostly(random, ["0", "5"], ODD_VALUES));
  writeFields(random, list);
  return list;
}

function writeResponse(random: SeededRandom): List {
  const list = [":status", mostly(random, STATUSES, ODD_STATUSES)];
  if (random.chance(0.3)) list.push("content-length", mostly(random, ["0", "5"], ODD_VALUES));
  writeFields(random, list);
  return list;
}

/** The head as llhttp reads it, which has to be complete at its last octet and not before. */
function readByLlhttp(llhttp: LlhttpReader, text: string): LlhttpReader {
  llhttp.beginConnection(text.startsWith("HTTP/") ? "response" : "request");
  llhttp.beginMessage(() => true);
  llhttp.feed(Buffer.from(text.slice(0, -1), "latin1"));
  assert.deepEqual([llhttp.error, llhttp.hasHead], [undefined, false], "the head ends earlier, or is refused");
  llhttp.feed(Buffer.from(text.slice(-1), "latin1"));
  assert.deepEqual([llhttp.error, llhttp.hasHead], [undefined, true], "the head does not end where it should");
  return llhttp;
}

function valuesOf(llhttp: LlhttpReader, lowerName: string): string[] {
  return llhttp.fields.filter((_, index) => index % 2 === 1 && llhttp.fields[index - 1]!.toLowerCase() === lowerName);
}

function judgeRequest(llhttp: LlhttpReader, list: List, isComplete: boolean): boolean {
  const request = new RequestParser();
  if (readRequestHead(request, list, isComplete, MAX_BYTES) !== undefined) return false;
  const { method, path, query } = request;
  const target = path + query;
  const forwarding = {
    upgrade: undefined,
    target,
    authority: "target",
    requestId: "id",
    peer: "::1",
    edited: undefined,
    isGrpcWeb: false,
  };
  const text = writeForwardedRequest(request, { ...forwarding, scheme: "https", isPeerTrusted: false });
  const isKnown = llhttp.methods.includes(method);
  readByLlhttp(llhttp, isKnown ? text : text.replace(method, "GET"));
  assert.deepEqual([llhttp.kind, llhttp.what], [isKnown ? method : "GET", target]);
  assert.deepEqual(valuesOf(llhttp, "host"), ["target"]);
  const given = list.filter((_, index) => index % 2 === 1 && list[index - 1] === "content-length");
  assert.deepEqual(
    valuesOf(llhttp, "content-length"),
    given.map((value) => String(Number(value))),
  );
  assert.deepEqual(valuesOf(llhttp, "transfer-encoding"), isComplete || given.length > 0 ? [] : ["chunked"]);
  for (const name of ["upgrade", "keep-alive", "proxy-connection"]) assert.deepEqual(valuesOf(llhttp, name), []);
  // Nothing became a field that was not one.
  const names = new Set([
    ...list.filter((_, index) => index % 2 === 0),
    "host",
    "connection",
    "x-request-id",
    "trailer",
  ]);
  for (let at = 0; at < llhttp.fields.length; at += 2) {
    const name = llhttp.fields[at]!.toLowerCase();
    assert.ok(names.has(name) || /^(?:x-forwarded-|transfer-encoding)/.test(name), `${name} is new`);
  }
  return true;
}

function judgeResponse(llhttp: LlhttpReader, list: List): boolean {
  const response = new ResponseParser();
  if (readResponseHead(response, list, MAX_BYTES) !== undefined) return false;
  const text = `HTTP/1.1 ${response.status} ${response.reasonPhrase}\r\n${response.fields.write(new Uint8Array(64), undefined)}\r\n`;
  readByLlhttp(llhttp, text);
  assert.equal(llhttp.kind, list[1]);
  assert.equal(llhttp.fields.length, list.length - 2);
  return true;
}

describe("heads of HTTP/2 that become heads of HTTP/1.1", () => {
  const llhttp = new LlhttpReader();
  const kinds: [what: string, judge: (random: SeededRandom) => readonly [List, () => boolean]][] = [
    [
      "a request",
      (random) => {
        const list = writeRequest(random);
        const isComplete = random.chance(0.5);
        return [list, () => judgeRequest(llhttp, list, isComplete)];
      },
    ],
    [
      "a response",
      (random) => {
        const list = writeResponse(random);
        return [list, () => judgeResponse(llhttp, list)];
      },
    ],
  ];
  for (const [what, write] of kinds)
    it(`are refused, or for llhttp the one head of ${what} that they were`, () => {
      const random = new SeededRandom(SEED);
      let taken = 0;
      for (let count = 0; count < CASES; count++) {
        const [list, judge] = write(random);
        try {
          if (judge()) taken++;
        } catch (error) {
          assert.fail(
            `${(error as Error).message}\nrun again with SEED=${SEED} CASES=${CASES}\n${JSON.stringify(list)}`,
          );
        }
      }
      assert.ok(taken > CASES / 5, `only ${taken} of ${CASES} were taken`);
      assert.ok(taken < CASES, "all were taken");
    });
});
