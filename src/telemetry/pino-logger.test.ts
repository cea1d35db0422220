import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, it } from "node:test";
import { RunwayError } from "../core/failure.ts";
import { PinoLogger } from "./pino-logger.ts";
import { TerminalLines } from "./terminal-lines.ts";

function recorder() {
  const lines: string[] = [];
  return { lines, write: (line: string) => void lines.push(line) };
}

describe("PinoLogger", () => {
  it("writes one JSON object a line with level, time, message and fields", () => {
    const stream = recorder();
    PinoLogger.to(stream, "info").child({ node: "a" }).info("listening", { port: 8080, hash: 18446744073709551615n });
    assert.equal(stream.lines.length, 1);
    assert.match(stream.lines[0]!, /"hash":18446744073709551615\b/);
    const { time, hash, ...line } = JSON.parse(stream.lines[0]!);
    assert.ok(!Number.isNaN(Date.parse(time)));
    assert.deepEqual(line, { level: "info", node: "a", port: 8080, msg: "listening" });
  });

  it("changes the level of existing children at run time", () => {
    const stream = recorder();
    const logger = PinoLogger.to(stream, "warn");
    const child = logger.child({ part: "sync" });
    child.info("hidden");
    logger.level = "debug";
    child.debug("shown");
    logger.level = "error";
    child.warn("hidden again");
    assert.deepEqual(
      stream.lines.map((line) => JSON.parse(line).msg),
      ["shown"],
    );
  });

  it("shows errors with message and stack, whatever the field is called", () => {
    const stream = recorder();
    PinoLogger.to(stream, "info").error("failed", { reason: new RunwayError("storeUnavailable", "The disk is full.") });
    const { reason } = JSON.parse(stream.lines[0]!);
    assert.equal(reason.message, "The disk is full.");
    assert.match(reason.stack, /RunwayError/);
  });

  it("outlives the reader of standard output", async () => {
    const script = `
      import { PinoLogger } from ${JSON.stringify(new URL("./pino-logger.ts", import.meta.url).href)};
      const { logger, stdout } = PinoLogger.toStandardOutput({ level: "info", terminal: false });
      logger.info("first");
      process.stdin.resume().once("end", () => {
        for (let i = 0; i < 100; i++) logger.info("nobody reads this");
        setImmediate(() => { stdout.flush(); process.exitCode = 7; });
      });`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    const [first] = await once(child.stdout, "data");
    assert.match(String(first), /"msg":"first"/);
    child.stdout.destroy();
    child.stdin.end();
    const [code] = await once(child, "exit");
    assert.equal(code, 7);
  });
});

describe("TerminalLines", () => {
  it("makes one readable line and disarms escape sequences in values", () => {
    const stream = recorder();
    PinoLogger.to(new TerminalLines(stream), "info").info("refused", { host: "\u001b[2Jevil", port: 80 });
    const line = stream.lines[0]!;
    assert.ok(!line.includes("\u001b[2J"));
    assert.match(line, /^\d\d:\d\d:\d\d .*info .*refused.*port=.*80\n$/);
  });
});
