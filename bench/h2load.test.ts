import assert from "node:assert/strict";
import { test } from "node:test";
import { parseH2load } from "./h2load.ts";

const clean = `starting benchmark...
TLS Protocol: TLSv1.3
Application protocol: h2

finished in 1.00s, 23456.00 req/s, 1.23MB/s
requests: 23456 total, 23520 started, 23456 done, 23456 succeeded, 0 failed, 0 errored, 0 timeout
status codes: 23456 2xx, 0 3xx, 0 4xx, 0 5xx
`;

test("requests are those that were answered well", () => {
  assert.deepEqual(parseH2load(clean), { requests: 23_456, requestsPerSecond: 23_456, failures: {} });
});

test("failures and bad statuses are named, each under its kind", () => {
  const output = clean.replace("0 failed, 0 errored", "3 failed, 1 errored").replace("0 4xx, 0 5xx", "2 4xx, 5 5xx");
  assert.deepEqual(parseH2load(output).failures, { failed: 3, errored: 1, status: 7 });
});

test("a server that fell back to HTTP/1.1 is an error and not a measurement", () => {
  assert.throws(() => parseH2load(clean.replace("protocol: h2", "protocol: http/1.1")), /did not speak HTTP\/2/);
});
