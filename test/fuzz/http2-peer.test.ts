import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { type ClientHttp2Session, connect } from "node:http2";
import { describe, it } from "node:test";
import { EchoServer } from "../../src/http/testing/http2-echo.ts";
import { SeededRandom } from "../simulation/seeded-random.ts";
import { ReframingRelay } from "../support/reframing-relay.ts";
import { oneOf } from "./choice.ts";

/** `SEED=n` runs the cases of that seed again, `CASES=n` another number of connections. */
const SEED = Number(process.env.SEED ?? randomInt(2 ** 31));
const CASES = Number(process.env.CASES ?? 20);
const REQUESTS = 60;
const AT_A_TIME = 8;

const NAMES = ["x-a", "x-b", "x-request-id", "x-very-long-name-that-is-no-name-of-anything", "x-1", "x-~"];
/** What a value may have but at its ends: visible characters, blanks, octets above ASCII. */
const INSIDE = Array.from({ length: 0x100 }, (_, code) => String.fromCharCode(code)).filter(
  (_, code) => code === 9 || (code >= 32 && code !== 127),
);
const ENDS = INSIDE.filter((character) => character !== " " && character !== "\t");

function value(random: SeededRandom): string {
  if (random.chance(0.4))
    return oneOf(random, ["", "1", "true", "text/plain", "no-cache, no-store", "0123456789abcdef"]);
  const length = random.chance(0.05) ? random.below(4_000) : random.below(40);
  const text = Array.from({ length }, () => oneOf(random, INSIDE)).join("");
  return oneOf(random, ENDS) + text + oneOf(random, ENDS);
}

async function ask(session: ClientHttp2Session, random: SeededRandom): Promise<void> {
  const fields: string[] = [];
  while (random.chance(0.8) && fields.length < 40) fields.push(oneOf(random, NAMES), value(random));
  const body = random.chance(0.4) ? Buffer.alloc(random.below(100_000), String(random.next())) : undefined;
  const path = `/${random.below(1_000)}`;
  const method = body === undefined ? "GET" : "POST";
  const length = body !== undefined && random.chance(0.5) ? ["content-length", String(body.length)] : [];
  const head = [":method", method, ":scheme", "http", ":authority", "a", ":path", path, ...length, ...fields];
  const stream = session.request(head, { endStream: body === undefined });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const pieces: Buffer[] = [];
  let answer: readonly string[] = [];
  stream.on("response", (_headers, _flags, raw) => {
    answer = raw as readonly string[];
  });
  stream.on("data", (piece: Buffer) => pieces.push(piece));
  stream.on("error", reject);
  stream.on("close", resolve);
  if (body !== undefined) stream.end(body);
  await promise;
  assert.deepEqual(answer, [":status", "200", ...fields]);
  assert.ok(
    Buffer.concat(pieces).equals(body === undefined || body.length === 0 ? Buffer.from(path) : body),
    "the body",
  );
}

async function converse(server: EchoServer, random: SeededRandom): Promise<void> {
  const relay = new ReframingRelay(server.port, random);
  const session = connect(`http://127.0.0.1:${await relay.start()}`, {
    settings: {
      enablePush: false,
      headerTableSize: oneOf(random, [0, 50, 100, 1_000, 4_096, 65_536]),
      initialWindowSize: oneOf(random, [1_000, 20_000, 65_535, 1_000_000]),
    },
  });
  session.on("error", () => {});
  const ask1 = async () => {
    for (let count = 0; count < REQUESTS / AT_A_TIME; count++) {
      await ask(session, random);
      if (random.chance(0.05)) session.settings({ headerTableSize: oneOf(random, [0, 200, 4_096]) });
    }
  };
  try {
    await Promise.all(Array.from({ length: AT_A_TIME }, ask1));
  } finally {
    session.destroy();
    relay.stop();
  }
}

describe("a peer that speaks HTTP/2 by another implementation", () => {
  it("is understood, and understands, however its words are cut into frames and packets", async () => {
    await using server = await new EchoServer().start();
    for (let count = 0; count < CASES; count++)
      await converse(server, new SeededRandom(SEED + count)).catch((error: Error) => {
        assert.fail(`${error.message}\nrun again with SEED=${SEED + count} CASES=1`);
      });
    assert.deepEqual(server.faults, []);
  });
});
