import assert from "node:assert/strict";
import { test } from "node:test";
import { BROKEN_PROTOCOLS } from "./broken-protocols.ts";
import { emptyTally, runSchedule } from "./schedule.ts";
import { WIRES } from "./wire.ts";
import { PROTOCOL, type Protocol, Violation } from "./world.ts";

/** `SEED=n` runs that one schedule again; `SCHEDULES=n` runs another number of them. */
const ONLY_SEED = process.env.SEED === undefined ? undefined : Number(process.env.SEED);
/** In the first schedules each message is encoded and decoded when it is sent; later ones remember what became of the same one. */
const EVERY_BYTE = 500;
const SCHEDULES = Number(process.env.SCHEDULES ?? 50_000);

test("no schedule of faults lets a node go back, run what is not verified and valid, or stay behind", () => {
  const tally = emptyTally();
  const WITHOUT_MEMORY: Protocol = { ...PROTOCOL, wires: WIRES };
  const seeds = ONLY_SEED === undefined ? Array.from({ length: SCHEDULES }, (_, seed) => seed) : [ONLY_SEED];
  for (const seed of seeds) {
    try {
      runSchedule(seed, seed < EVERY_BYTE || ONLY_SEED !== undefined ? WITHOUT_MEMORY : PROTOCOL, tally);
    } catch (error) {
      throw new Error(`seed ${seed}: ${(error as Error).message}; run again with SEED=${seed}`, { cause: error });
    }
  }
  if (seeds.length < 1_000) return;
  for (const [what, times] of Object.entries(tally))
    assert.ok(times > seeds.length / 500, `the schedules hardly ever have ${what}: ${times}`);
});

for (const { name, protocol, violation } of BROKEN_PROTOCOLS)
  test(`${name} is caught`, () => {
    assert.match(firstViolation(protocol) ?? "no violation", violation);
  });

function firstViolation(protocol: Protocol): string | undefined {
  for (let seed = 0; seed < 5_000; seed += 1) {
    try {
      runSchedule(seed, protocol);
    } catch (error) {
      if (error instanceof Violation) return error.message;
      throw error;
    }
  }
  return undefined;
}
