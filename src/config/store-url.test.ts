import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isLocalHost, parseStoreUrl } from "./store-url.ts";

describe("a postgres:// URL", () => {
  const parse = (text: string) => {
    const parsed = parseStoreUrl(text);
    return "problem" in parsed ? parsed.problem : parsed;
  };

  it("says host, port, database, user and password, each decoded", () => {
    assert.deepEqual(parse("postgres://ad%40min:p%2Fw@db.example.com:6543/run%20way"), {
      ...{ host: "db.example.com", port: 6543, database: "run way" },
      ...{ user: "ad@min", password: "p/w" },
    });
  });

  it("may leave out the port and the user", () => {
    assert.deepEqual(parse("postgresql://db/gateway"), {
      ...{ host: "db", port: 5432, database: "gateway" },
      ...{ user: "runway", password: undefined },
    });
  });

  it("may name the directory of a Unix socket", () => {
    const parsed = parseStoreUrl("postgres://runway@%2Frun%2Fpostgresql/gateway");
    assert.ok("host" in parsed);
    assert.equal(parsed.host, "/run/postgresql");
    assert.equal(parsed.database, "gateway");
  });

  it("may have an IPv6 address", () => {
    const parsed = parseStoreUrl("postgres://runway@[::1]:5433/gateway");
    assert.ok("host" in parsed);
    assert.equal(parsed.host, "::1");
  });

  it("is refused with what is missing or not known", () => {
    assert.equal(parse("mysql://db/x"), "must be a postgres:// URL");
    assert.equal(parse("not a url"), "must be a postgres:// URL");
    assert.match(String(parse("postgres://db")), /must name a database/);
    assert.match(String(parse("postgres:///x")), /must name a host/);
    assert.match(String(parse("postgres://db/x?sslmode=require")), /may have no parameters/);
  });

  it("is local when nothing leaves the machine", () => {
    assert.deepEqual(["/run", "localhost", "127.0.0.2", "::1", "db", "10.0.0.1"].map(isLocalHost), [
      ...[true, true, true, true],
      ...[false, false],
    ]);
  });
});
