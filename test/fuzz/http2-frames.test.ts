import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { describe, it } from "node:test";
import { ERROR, FLAG, FRAME, SETTING, uint16, uint32 } from "../../src/http/http2/frame.ts";
import { FrameReader } from "../../src/http/http2/frame-reader.ts";
import { HpackDecoder } from "../../src/http/http2/hpack/hpack-decoder.ts";
import { EchoServer, eventually, FrameClient, frameText, requestBlock } from "../../src/http/testing/http2-echo.ts";
import { SeededRandom } from "../simulation/seeded-random.ts";
import { oneOf } from "./choice.ts";

/** `SEED=n` runs the cases of that seed again, `CASES=n` another number of them. */
const SEED = Number(process.env.SEED ?? randomInt(2 ** 31));
const CASES = Number(process.env.CASES ?? 1_000);
/** Of what needs no socket. */
const QUICK_CASES = 20 * CASES;

const PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const CODES: ReadonlySet<number> = new Set(Object.values(ERROR));
/** Ends whatever frame has begun, and is one that is larger than a frame may be. */
const END_OF_CASE = "\xff".repeat(16_384 + 2 * 9);

function block(random: SeededRandom): string {
  const path = oneOf(random, ["/", "/octets/70000", "/octets/9", "/hold", "/pause", "/octets/0"]);
  const method = oneOf(random, ["GET", "POST", "HEAD"]);
  const plain = requestBlock(method, path, ...(random.chance(0.2) ? [["content-length", "5"] as const] : []));
  if (random.chance(0.7)) return plain;
  // Indexed fields, additions, sizes of the table: as they come.
  return plain + String.fromCharCode(...Array.from({ length: random.below(12) }, () => random.below(256)));
}

function payloadOf(random: SeededRandom, type: number): string {
  const number = uint32(oneOf(random, [0, 1, 8, 65_535, 2 ** 31 - 1, 2 ** 32 - 1, random.below(2 ** 31)]));
  switch (type) {
    case FRAME.headers:
    case FRAME.continuation:
      return block(random);
    case FRAME.settings:
      return (uint16(random.below(10)) + number).repeat(random.below(4));
    case FRAME.ping:
      return "12345678";
    case FRAME.goaway:
      return number + uint32(random.below(14)) + "x".repeat(random.below(9));
    case FRAME.priority:
      return `${number}x`;
    case FRAME.data:
      return "d".repeat(oneOf(random, [0, 1, 5, 200, 16_384]));
    default:
      return number;
  }
}

function frame(random: SeededRandom, likelyStream: number): string {
  const type = random.chance(0.4) ? FRAME.headers : random.below(12);
  const onConnection = type === FRAME.settings || type === FRAME.ping || type === FRAME.goaway;
  const stream = onConnection ? 0 : likelyStream;
  const flags = random.chance(0.7)
    ? oneOf(random, [0, FLAG.endHeaders, FLAG.endHeaders | FLAG.endStream])
    : random.below(256);
  const odd = random.chance(0.03) ? oneOf(random, [0, 1, 2, 5, 2 ** 31 - 1]) : stream;
  return frameText(type, onConnection && type === FRAME.ping ? 0 : flags, odd, payloadOf(random, type));
}

/** Octets as a client could send them who means well, less well, or nothing at all. */
function conversation(random: SeededRandom): string {
  let text =
    PREFACE +
    frameText(
      FRAME.settings,
      0,
      0,
      random.chance(0.3) ? uint16(SETTING.initialWindowSize) + uint32(random.below(70_000)) : "",
    );
  let stream = 1;
  for (let count = random.below(30); count > 0; count--) {
    if (random.chance(0.5)) stream += 2;
    text += frame(random, random.chance(0.8) ? stream : 1 + 2 * random.below(1 + stream / 2));
  }
  for (let count = random.chance(0.4) ? 1 + random.below(4) : 0; count > 0; count--) text = mutated(random, text);
  return text;
}

function mutated(random: SeededRandom, text: string): string {
  const at = random.chance(0.2)
    ? random.below(text.length)
    : PREFACE.length + random.below(text.length - PREFACE.length);
  const octet = String.fromCharCode(random.below(256));
  switch (random.below(4)) {
    case 0:
      return text.slice(0, at) + octet + text.slice(at + 1);
    case 1:
      return text.slice(0, at) + text.slice(at + 1 + random.below(8));
    case 2:
      return text.slice(0, at) + octet.repeat(1 + random.below(20)) + text.slice(at);
    default:
      return text + text.slice(at, at + 1 + random.below(40));
  }
}

async function judge(server: EchoServer, random: SeededRandom, text: string): Promise<number> {
  const client = new FrameClient(server.port);
  const octets = text + END_OF_CASE;
  for (let at = 0; at < octets.length; ) {
    const next = at + (random.chance(0.5) ? octets.length : 1 + random.below(40));
    client.send(octets.slice(at, next));
    if (random.chance(0.2)) await new Promise((resolve) => setImmediate(resolve));
    at = next;
  }
  await eventually(() => client.isClosed, "the end of the connection");
  const said = client.goaway;
  assert.ok(said !== undefined && CODES.has(said), `the code is ${said}`);
  // Only a client that says itself that it goes is not at fault; its streams still come to their ends.
  if (said === ERROR.none) assert.ok(text.includes("\x07"), "the fault is not told");
  else assert.equal(client.frames.at(-1)?.type, FRAME.goaway, "the last word is not GOAWAY");
  assert.notEqual(said, ERROR.internal);
  assert.deepEqual(server.faults, []);
  client.close();
  return said;
}

/** What is read of octets that come in these pieces, as text. */
function read(octets: Buffer, pieceBytes: () => number): string {
  const seen: string[] = [];
  let data = "";
  const note = (text: string) => {
    if (data !== "") seen.push(`data ${data}`);
    data = "";
    if (text !== "") seen.push(text);
  };
  const reader = new FrameReader(
    {
      onHeaders: (stream, endStream, block, start, end) =>
        note(`headers ${stream} ${endStream} ${block.toString("latin1", start, end)}`),
      onData: (...told) => note(`begin ${told}`),
      onDataPiece: (_, piece, start, end) => {
        data += piece.toString("latin1", start, end);
      },
      onDataEnd: (stream) => note(`end ${stream}`),
      onFrame: (type, flags, stream, frame, start, end) =>
        note(`frame ${type} ${flags} ${stream} ${frame.toString("latin1", start, end)}`),
      onConnectionFault: ({ code, reason }) => note(`fault ${code} ${reason}`),
    },
    () => 40_000,
  );
  for (let at = 0; at < octets.length; ) {
    const next = Math.min(octets.length, at + pieceBytes());
    // Read where nothing else is, so that what is kept has to have been copied.
    const piece = Buffer.from(octets.subarray(at, next));
    reader.read(piece, 0, piece.length);
    piece.fill(0);
    at = next;
  }
  note("");
  return seen.join("\n");
}

describe("frames in pieces", () => {
  it("are what they are in one", () => {
    for (let count = 0; count < QUICK_CASES; count++) {
      const random = new SeededRandom(SEED + count);
      const octets = Buffer.from(conversation(random), "latin1");
      const whole = read(octets, () => octets.length);
      const largest = oneOf(random, [1, 3, 30, 5_000]);
      const cut = read(octets, () => 1 + random.below(largest));
      assert.equal(cut, whole, `run again with SEED=${SEED + count} CASES=1`);
    }
  });
});

describe("header blocks of any octets", () => {
  it("are refused, or read within the limits", () => {
    for (let count = 0; count < QUICK_CASES; count++) {
      const random = new SeededRandom(SEED + count);
      const decoder = new HpackDecoder();
      for (let blocks = 0; blocks < 3; blocks++) {
        const octets = Buffer.from(Array.from({ length: random.below(60) }, () => random.below(256)));
        const list = decoder.decode(octets, 0, octets.length, 500);
        if (list === undefined) break;
        assert.ok(list.join("").length + 16 * list.length <= 500, `SEED=${SEED + count} CASES=1`);
      }
    }
  });
});

describe("frames as nobody should send them", () => {
  it("end the connection with a code of RFC 9113, and leave nothing behind", async () => {
    await using server = await new EchoServer({ writeTimeoutMs: 1_000 }).start();
    const codes = new Set<number>();
    for (let count = 0; count < CASES; count++) {
      const random = new SeededRandom(SEED + count);
      const text = conversation(random);
      const code = await judge(server, random, text).catch((error: Error) => {
        const shown = JSON.stringify(text.slice(0, 2_000));
        assert.fail(`${error.message}\nrun again with SEED=${SEED + count} CASES=1\n${shown}`);
      });
      codes.add(code);
    }
    await eventually(
      () => server.connections === 0 && server.open === 0,
      () => `nobody: ${server.connections}, ${server.open}`,
    );
    assert.ok(codes.size >= Math.min(5, CASES / 100), `all ended with ${[...codes]}`);
  });
});
