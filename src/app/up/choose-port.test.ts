import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { choosePort } from "./choose-port.ts";
import { startOrigin } from "./origin.ts";

describe("choosePort", () => {
  it("takes the preferred port when it is free and another one when it is not", async () => {
    const server = await startOrigin(0);
    const { port } = server.address() as { port: number };
    const other = await choosePort(port);
    assert.ok(other > 0 && other !== port);
    await new Promise((closed) => server.close(closed));
    assert.equal(await choosePort(port), port);
  });
});
