import assert from "node:assert/strict";
import { test } from "node:test";
import { readUriNames } from "./peer-certificate.ts";

test("URI names are found among the other names of a certificate", () => {
  assert.deepEqual(readUriNames("DNS:a.example, URI:spiffe://x/node/n1, IP Address:127.0.0.1, URI:https://a/"), [
    "spiffe://x/node/n1",
    "https://a/",
  ]);
  assert.deepEqual(readUriNames(""), []);
});

test("a quoted name is read as one name", () => {
  assert.deepEqual(readUriNames('URI:"spiffe://x/node/a, b"'), ["spiffe://x/node/a, b"]);
});

test("text inside of another name does not pass for a URI name", () => {
  assert.deepEqual(readUriNames('DNS:"a, URI:spiffe://x/node/victim"'), []);
});

test("a list that is not understood is refused as a whole", () => {
  assert.throws(() => readUriNames('URI:spiffe://x/node/a, "what'), /cannot be read/);
});
