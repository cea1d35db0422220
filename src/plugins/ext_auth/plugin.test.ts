import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { HostRequest, HostResponse } from "../../sdk/plugin-host.ts";
import { request, run, TestPlugin } from "../../sdk/testing.ts";
import { extAuth } from "./plugin.ts";

const URL = "http://auth.example/check";

/** A service that says `response` and keeps what it was asked. */
function service(response: Partial<HostResponse> | Error) {
  const asked: HostRequest[] = [];
  const fetch = async (_url: string, init: HostRequest) => {
    asked.push(init);
    if (response instanceof Error) throw response;
    return response;
  };
  return { asked, fetch };
}

describe("ext_auth", () => {
  it("lets pass what the service lets pass, with what it says about the client", async () => {
    const { asked, fetch } = service({
      status: 200,
      headers: new Map([
        ["x-user", "alice"],
        ["x-secret", "no"],
      ]),
    });
    const sent = request("/orders?id=1", { method: "POST", headers: { Authorization: "Bearer t", "X-Other": "o" } });
    const { status, forwarded } = await run(extAuth, { url: URL, upstream_headers: ["X-User"] }, sent, { fetch });
    assert.equal(status, 200);
    assert.deepEqual([forwarded?.headers["x-user"], forwarded?.headers["x-secret"]], ["alice", undefined]);
    assert.deepEqual(asked[0]?.headers, {
      "X-Forwarded-Method": "POST",
      "X-Forwarded-Proto": "http",
      "X-Forwarded-Host": "gateway.example",
      "X-Forwarded-Uri": "/orders?id=1",
      "X-Forwarded-For": "192.0.2.1",
      Authorization: "Bearer t",
    });
  });

  it("never lets a client say what only the service may say", async () => {
    const { fetch } = service({ status: 200 });
    const sent = request("/", { headers: { "x-user": "root" } });
    const { forwarded } = await run(extAuth, { url: URL, upstream_headers: ["X-User"] }, sent, { fetch });
    assert.equal(forwarded?.headers["x-user"], undefined);
  });

  it("answers as the service does where it refuses, with the headers that may go out", async () => {
    const headers = new Map([
      ["location", "https://login.example/"],
      ["x-internal", "detail"],
    ]);
    const { fetch } = service({ status: 302, headers, body: Buffer.from("log in") });
    const result = await run(extAuth, { url: URL }, request(), { fetch });
    assert.deepEqual(
      [result.status, result.headers.location, result.headers["x-internal"]],
      [302, "https://login.example/", undefined],
    );
    assert.equal(result.body.toString(), "log in");
    assert.equal(result.forwarded, undefined);
  });

  for (const [what, response] of [
    ["does not answer", new Error("timed out")],
    ["fails", { status: 500 }],
  ] as const) {
    it(`keeps requests out when the service ${what}, unless it is told otherwise`, async () => {
      const { fetch } = service(response);
      const closed = await run(extAuth, { url: URL }, request(), { fetch });
      assert.deepEqual([closed.status, closed.failure], [503, "authorizationUnavailable"]);
      assert.equal((await run(extAuth, { url: URL, fail_open: true }, request(), { fetch })).status, 200);
    });
  }

  it("counts refusals and times when nobody could be asked", async () => {
    const refusing = new TestPlugin(extAuth, { url: URL }, service({ status: 403 }));
    await refusing.run();
    assert.deepEqual(refusing.events, { refused: 1 });
    const failing = new TestPlugin(extAuth, { url: URL }, service(new Error("refused")));
    await failing.run();
    assert.deepEqual(failing.events, { unreachable: 1 });
  });

  it("needs a URL that can be asked", async () => {
    await assert.rejects(run(extAuth, { url: "ftp://auth.example" }), /url/i);
    await assert.rejects(run(extAuth, {}), /url/);
    await assert.rejects(run(extAuth, { url: "http://me:secret@auth.example" }), /no user and password/);
  });
});
