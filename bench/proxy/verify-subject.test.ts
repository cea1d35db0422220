import assert from "node:assert/strict";
import { test } from "node:test";
import { flawsOf } from "./verify-subject.ts";

const complete = {
  host: "127.0.0.1:8080",
  connection: "",
  "x-forwarded-for": "127.0.0.1",
  "x-forwarded-proto": "http",
  "x-forwarded-host": "127.0.0.1:8080",
  "x-request-id": "8c6f",
  "requests-on-this-connection": "2",
};

test("a subject that forwards all headers over a kept connection has no flaw", () => {
  assert.deepEqual(flawsOf(complete), []);
});

test("every header that is missing is named", () => {
  const bare = { "x-forwarded-for": "", "x-forwarded-proto": "", "x-forwarded-host": "", "x-request-id": "" };
  assert.equal(flawsOf({ ...complete, ...bare }).length, 4);
});

test("a connection that is opened anew for each request is a flaw", () => {
  assert.deepEqual(flawsOf({ ...complete, "requests-on-this-connection": "1" }), [
    "the connection to the origin is not kept",
  ]);
});
