import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { createServer, METHODS, request as sendRequest } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { after, before, describe, it } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { eventually, RawOrigin, TestProxy } from "../../src/proxy/testing/test-proxy.ts";
import { SeededRandom } from "../simulation/seeded-random.ts";
import { describeInput, readCorpus } from "./corpus.ts";
import { type Input, MAX_HEAD_BYTES, type Side } from "./input.ts";
import { asksForUpgrade } from "./known-differences.ts";
import { writeMessages } from "./message-grammar.ts";
import { chooseCuts, mutate } from "./mutation.ts";
import type { Message, Reading } from "./reading.ts";
import { readByRunway } from "./runway-reader.ts";

/** What one parser reads is shown elsewhere; here, that a whole gateway passes on just that. `SEED=n` runs the same again. */
const SEED = Number(process.env.SEED ?? randomInt(2 ** 31));
const CASES = 250;
const MAX_INTERIM_RESPONSES = 16;

/** The corpus, which is our table of ways to smuggle, and then what chance brings. */
function* inputs(side: Side): Generator<{ readonly input: Input; readonly reading: Reading }> {
  for (const { input } of readCorpus()) if (input.side === side) yield { input, reading: readByRunway(input) };
  const random = new SeededRandom(SEED);
  for (let count = 0; count < CASES; count++) {
    let text = writeMessages(random, side);
    if (random.chance(0.3)) text = mutate(random, text, text);
    const answersHead = side === "response" && random.chance(0.1);
    const input = {
      side,
      answersHead,
      text,
      cuts: chooseCuts(random, text.length).slice(0, 8),
      maxHeadBytes: MAX_HEAD_BYTES,
    };
    yield { input, reading: readByRunway(input) };
  }
}

async function writeInPieces(socket: Socket, { text, cuts }: Input, wholeFrom = text.length): Promise<void> {
  let start = 0;
  for (const cut of [...cuts.filter((at) => at < wholeFrom), text.length]) {
    socket.write(text.slice(start, cut), "latin1");
    start = cut;
    await nextTurn();
  }
}

async function gatewayTo(url: string): Promise<TestProxy> {
  const gateway = new TestProxy();
  await gateway.apply({ routes: { all: { path: "/", path_prefix: true, backends: [{ url }] } } });
  return gateway;
}

function describeCase(input: Input, reading: Reading): string {
  return `SEED=${SEED}: ${describeInput(input, reading)}`;
}

describe("requests that reach an upstream through the gateway", () => {
  let arrived: string[] = [];
  const upstream = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    let body = "";
    request.setEncoding("latin1");
    request.on("data", (piece: string) => {
      body += piece;
    });
    request.on("end", () => {
      arrived.push(`${request.method} ${request.url} ${passedOn(request.rawHeaders)} ${body}`);
      response.end("x");
    });
  });
  let gateway: TestProxy;

  before(async () => {
    await new Promise<void>((resolve) => upstream.listen(0, "127.0.0.1", resolve));
    gateway = await gatewayTo(`http://127.0.0.1:${(upstream.address() as AddressInfo).port}`);
  });
  after(async () => {
    await gateway.stop();
    upstream.closeAllConnections();
    await new Promise((closed) => upstream.close(closed));
  });

  it("are those that were taken, in their order and with their bodies, and no others", async () => {
    let expectedTotal = 0;
    for (const { input, reading } of inputs("request")) {
      if (!reading.messages.every(isOrdinary) || opensHttp2(input)) continue;
      const expected = reading.messages
        .filter(({ end }) => end !== undefined)
        .map(({ kind, what, fields, body }) => `${kind} ${what} ${passedOn(fields)} ${body}`);
      expectedTotal += expected.length;
      arrived = [];
      const client = gateway.client();
      await writeInPieces(client.socket, input);
      const isOver = () => client.isClosed || (reading.outcome === "waiting" && arrived.length >= expected.length);
      await eventually(isOver, () => `${arrived.join("\n")}\n${describeCase(input, reading)}`);
      client.close();
      assert.deepEqual(arrived, expected, describeCase(input, reading));
      if (reading.outcome === "refused") assert.match(client.received, /HTTP\/1\.1 (?:4\d\d|50\d) /);
    }
    assert.ok(expectedTotal > CASES / 4, `only ${expectedTotal} requests were taken`);
  });
});

/** Fields that mean nothing to a gateway, but for those that a Connection option takes away. */
function passedOn(fields: readonly string[]): string {
  const lines: [string, string][] = [];
  for (let at = 0; at < fields.length; at += 2) lines.push([fields[at]!.toLowerCase(), fields[at + 1]!]);
  const options = lines.filter(([name]) => name === "connection").map(([, value]) => value.toLowerCase());
  const nominated = options.join().split(/[ \t]*,[ \t]*/);
  const passed = lines.filter(([name]) => /^(?:accept|cookie|user-agent|x-.)$/.test(name) && !nominated.includes(name));
  return passed.map(([name, value]) => `${name}: ${value}`).join("\n");
}

/** What begins so is read by another protocol's parser (RFC 9113 §3.4). */
function opensHttp2({ text }: Input): boolean {
  return text.startsWith("PRI * HTTP/2.0\r\n\r\n");
}

/** What the gateway answers for itself, or node:http treats otherwise, is not the matter here. */
function isOrdinary(message: Message): boolean {
  const { kind, what } = message;
  return METHODS.includes(kind) && kind !== "TRACE" && what !== "*" && !asksForUpgrade(message);
}

describe("responses that reach a client through the gateway", () => {
  let current: { readonly input: Input; readonly reading: Reading };
  const upstream = new RawOrigin((socket, all) => {
    if (!all.endsWith("\r\n\r\n")) return;
    const answer = finalAnswer(current.reading);
    const isWhole = answer?.end !== undefined && !answer.untilClose;
    // What follows an answer comes with its end: what came later could not be told from the next answer.
    void writeInPieces(socket, current.input, isWhole ? answer.end : undefined).then(() => isWhole || socket.end());
  });
  let gateway: TestProxy;

  before(async () => {
    gateway = await gatewayTo((await upstream.start()).url);
  });
  after(async () => {
    await gateway.stop();
    await upstream.stop();
  });

  it("are the first that was taken, or a failure, and never one that was cut", async () => {
    let complete = 0;
    for (current of inputs("response")) {
      const { input, reading } = current;
      const answer = finalAnswer(reading);
      const isComplete = answer?.end !== undefined && reading.messages.indexOf(answer) <= MAX_INTERIM_RESPONSES;
      const expected = isComplete ? `${answer.kind} ${answer.body}` : "a failure";
      if (isComplete) complete++;
      assert.equal(await ask(gateway.port, input.answersHead), expected, describeCase(input, reading));
    }
    assert.ok(complete > CASES / 4, `only ${complete} answers were taken`);
  });
});

function finalAnswer({ messages }: Reading): Message | undefined {
  return messages.find(({ kind }) => !kind.startsWith("1"));
}

/** Status and body as node:http reads them, or "a failure". */
function ask(port: number, isHead: boolean): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const failed = () => resolve("a failure");
  sendRequest({ port, host: "127.0.0.1", method: isHead ? "HEAD" : "GET", agent: false }, (response) => {
    let body = "";
    response.setEncoding("latin1");
    response.on("error", failed);
    response.on("data", (piece: string) => {
      body += piece;
    });
    response.on("end", () => resolve(response.statusCode === 502 ? "a failure" : `${response.statusCode} ${body}`));
  })
    .on("error", failed)
    .end();
  return promise;
}
