import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Json, JsonObject } from "../../config/json.ts";
import { RunwayError } from "../../core/failure.ts";
import { ManualClock } from "../testing/manual-clock.ts";
import { RPC_ERRORS } from "./json-rpc.ts";
import type { RpcFailure } from "./rpc-failure.ts";
import { type RpcMethod, RpcPeer } from "./rpc-peer.ts";

const METHODS: Record<string, RpcMethod> = {
  "test.v1.add": ({ a, b }) => Number(a) + Number(b),
  "test.v1.refuse": () => {
    throw new RunwayError("notFound", "there is no such thing");
  },
  "test.v1.break": () => {
    throw new Error("the password is swordfish");
  },
};

/** Two peers whose frames reach each other later than now, as on a wire. */
function pair(methods: Record<string, RpcMethod> = METHODS) {
  const clock = new ManualClock();
  const faults: string[] = [];
  const frames: string[] = [];
  const onFault = (method: string) => faults.push(method);
  const asker: RpcPeer = new RpcPeer({
    methods: {},
    clock,
    onFault,
    send: (frame) =>
      queueMicrotask(() => {
        frames.push(frame);
        answerer.receive(frame);
      }),
  });
  const answerer: RpcPeer = new RpcPeer({
    methods,
    clock,
    onFault,
    send: (frame) => queueMicrotask(() => asker.receive(frame)),
  });
  asker.learn(RpcPeer.prefixesOf(methods));
  const call = (method: string, params: JsonObject = {}, signal?: AbortSignal) =>
    asker.call(method, params, { timeoutMs: 1_000, signal });
  return { asker, answerer, clock, faults, frames, call };
}

/** What a peer with METHODS answers to a frame; undefined when nothing. */
async function answerTo(frame: string): Promise<Json | undefined> {
  let answer: string | undefined;
  const peer = new RpcPeer({
    methods: METHODS,
    clock: new ManualClock(),
    onFault: () => {},
    send: (text) => {
      answer = text;
    },
  });
  peer.receive(frame);
  await new Promise(setImmediate);
  return answer === undefined ? undefined : (JSON.parse(answer) as Json);
}

describe("an RPC peer that calls", () => {
  it("gets the result, and several calls at a time each get their own", async () => {
    const { call } = pair();
    assert.deepEqual(
      await Promise.all([call("test.v1.add", { a: 1, b: 2 }), call("test.v1.add", { a: 3, b: 4 })]),
      [3, 7],
    );
  });

  it("does not ask for what the other side has not named", async () => {
    const { call, frames } = pair();
    await assert.rejects(
      call("other.v1.add"),
      (error: RpcFailure) => error.error.code === RPC_ERRORS.methodNotFound.code,
    );
    assert.deepEqual(frames, []);
  });

  it("is told of a failure by its code, and of a fault without its cause", async () => {
    const { call, faults } = pair();
    await assert.rejects(call("test.v1.refuse"), (error: RpcFailure) => {
      assert.deepEqual(error.error, {
        code: -32_000,
        message: "there is no such thing",
        data: { code: "RW_NOT_FOUND" },
      });
      return true;
    });
    await assert.rejects(call("test.v1.break"), { message: "Internal error" });
    assert.deepEqual(faults, ["test.v1.break"]);
  });

  it("gives up at its deadline, and the other side's handler learns of it", async () => {
    const given = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    const { call, clock } = pair({
      "test.v1.wait": (_params, signal) => {
        signal.addEventListener("abort", () => given.resolve());
        begun.resolve();
        return new Promise(() => {});
      },
    });
    const answer = call("test.v1.wait");
    await begun.promise;
    clock.advance(1_000);
    await assert.rejects(answer, { message: "The call was cancelled: no answer within 1000 ms" });
    await given.promise;
  });

  it("gives up when its signal aborts, and when the connection ends", async () => {
    const { asker, call } = pair({ "test.v1.wait": () => new Promise(() => {}) });
    const controller = new AbortController();
    const [one, two] = [call("test.v1.wait", {}, controller.signal), call("test.v1.wait")];
    controller.abort();
    await assert.rejects(one, { message: "The call was cancelled: the caller gave it up" });
    asker.close();
    await assert.rejects(two, { message: "The call was cancelled: the connection ended" });
    await assert.rejects(call("test.v1.wait"), { message: "The call was cancelled: the peer is not connected" });
  });

  it("has a bounded number of calls open", async () => {
    const { asker, call } = pair({ "test.v1.wait": () => new Promise(() => {}) });
    const open = Array.from({ length: 64 }, () => call("test.v1.wait"));
    await assert.rejects(call("test.v1.wait"), (error: RpcFailure) => error.error.code === RPC_ERRORS.busy.code);
    asker.close();
    assert.equal((await Promise.allSettled(open)).filter(({ status }) => status === "rejected").length, 64);
  });
});

describe("an RPC peer that answers", () => {
  const cases: readonly [what: string, frame: string, answer: unknown][] = [
    [
      "a call",
      '{"jsonrpc":"2.0","id":"x","method":"test.v1.add","params":{"a":1,"b":1}}',
      { jsonrpc: "2.0", id: "x", result: 2 },
    ],
    ["a notification", '{"jsonrpc":"2.0","method":"test.v1.add","params":{}}', undefined],
    ["a notification of something unknown", '{"jsonrpc":"2.0","method":"test.v9.add"}', undefined],
    [
      "an unknown method",
      '{"jsonrpc":"2.0","id":1,"method":"toString"}',
      { jsonrpc: "2.0", id: 1, error: RPC_ERRORS.methodNotFound },
    ],
    ["what is not JSON", '{"jsonrpc":', { jsonrpc: "2.0", id: null, error: RPC_ERRORS.parse }],
    [
      "an empty batch",
      "[]",
      { jsonrpc: "2.0", id: null, error: { ...RPC_ERRORS.invalidRequest, data: "a batch has 1 to 64 messages" } },
    ],
    [
      "another version",
      '{"jsonrpc":"1.0","id":1,"method":"test.v1.add"}',
      { jsonrpc: "2.0", id: 1, error: { ...RPC_ERRORS.invalidRequest, data: 'jsonrpc has to be "2.0"' } },
    ],
    [
      "parameters by position",
      '{"jsonrpc":"2.0","id":1,"method":"test.v1.add","params":[1,2]}',
      { jsonrpc: "2.0", id: 1, error: { ...RPC_ERRORS.invalidParams, data: "parameters go by name" } },
    ],
    [
      "a number",
      "5",
      { jsonrpc: "2.0", id: null, error: { ...RPC_ERRORS.invalidRequest, data: "a message is an object" } },
    ],
    ["a reply to nothing", '{"jsonrpc":"2.0","id":77,"result":1}', undefined],
    ["a batch of notifications", '[{"jsonrpc":"2.0","method":"test.v1.add"}]', undefined],
  ];
  for (const [what, frame, expected] of cases)
    it(`answers ${what} as the specification says`, async () => assert.deepEqual(await answerTo(frame), expected));

  it("answers a batch with a batch, without what has no answer", async () => {
    const batch =
      '[{"jsonrpc":"2.0","id":1,"method":"test.v1.add","params":{"a":1,"b":2}},{"jsonrpc":"2.0","method":"test.v1.add"},7]';
    assert.deepEqual(await answerTo(batch), [
      { jsonrpc: "2.0", id: 1, result: 3 },
      { jsonrpc: "2.0", id: null, error: { ...RPC_ERRORS.invalidRequest, data: "a message is an object" } },
    ]);
  });
});
