import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { LogLevel } from "../../admin/node-control.ts";
import { ManualClock } from "../../sync/testing/manual-clock.ts";
import { LogLevelSwitch } from "./log-level-switch.ts";

describe("the level of the log", () => {
  const create = () => {
    const clock = new ManualClock();
    const logger: { level: LogLevel } = { level: "info" };
    return { clock, logger, level: new LogLevelSwitch(logger, clock) };
  };

  it("is another for a while, and then as configured meanwhile", () => {
    const { clock, logger, level } = create();
    level.set("debug", 60_000);
    level.configure("warn");
    clock.advance(59_999);
    assert.equal(logger.level, "debug");
    clock.advance(1);
    assert.deepEqual([logger.level, level.override], ["warn", undefined]);
  });

  it("goes back once, whatever was asked before", () => {
    const { clock, logger, level } = create();
    level.set("debug", 60_000);
    level.set("error", 120_000);
    clock.advance(60_000);
    assert.equal(logger.level, "error");
    level.reset();
    level.set("debug", 120_000);
    clock.advance(60_000);
    assert.equal(logger.level, "debug");
  });
});
