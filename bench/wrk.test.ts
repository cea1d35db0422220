import assert from "node:assert/strict";
import { test } from "node:test";
import { parseWrk } from "./wrk.ts";

const clean = `Running 5s test @ http://127.0.0.1:8080/
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     2.61ms  512.30us  12.10ms   91.20%
    Req/Sec    24.60k     1.02k   26.11k    72.00%
  Latency Distribution
     50%    2.50ms
     75%    2.71ms
     90%    3.02ms
     99%    5.18ms
  122543 requests in 5.01s, 20.33MB read
Requests/sec:  24459.68
Transfer/sec:      4.06MB
`;

test("requests and latencies are read", () => {
  assert.deepEqual(parseWrk(clean), {
    requests: 122_543,
    requestsPerSecond: 24_459.68,
    p50Ms: 2.5,
    p99Ms: 5.18,
    failures: {},
  });
});

test("latencies come in milliseconds whatever unit wrk chose", () => {
  const report = parseWrk(clean.replace("50%    2.50ms", "50%  850.00us").replace("99%    5.18ms", "99%    1.20s"));
  assert.equal(report.p50Ms, 0.85);
  assert.equal(report.p99Ms, 1_200);
});

test("socket errors and bad statuses are failures, each under its kind", () => {
  const report = parseWrk(`${clean}  Socket errors: connect 0, read 3, write 0, timeout 2
  Non-2xx or 3xx responses: 17
`);
  assert.deepEqual(report.failures, { read: 3, timeout: 2, status: 17 });
});

test("output without results is an error that shows the output", () => {
  assert.throws(() => parseWrk("unable to connect to 127.0.0.1:1 Connection refused"), /unable to connect/);
});
