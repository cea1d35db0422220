import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Token } from "../../config/token-store.ts";
import type { Clock } from "../../core/clock.ts";
import { RunwayError } from "../../core/failure.ts";
import { DropConnection, Gate } from "./gate.ts";
import { createSecret, hashSecret } from "./token-secret.ts";

/** Time that stands still until it is moved on. */
class HandClock implements Clock {
  nowMs = 1_000_000;
  #timers: { atMs: number; action: () => void }[] = [];

  now = () => this.nowMs;
  monotonicMs = () => this.nowMs;

  after(delayMs: number, action: () => void): () => void {
    const timer = { atMs: this.nowMs + delayMs, action };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  pass(ms: number): void {
    this.nowMs += ms;
    const due = this.#timers.filter(({ atMs }) => atMs <= this.nowMs);
    this.#timers = this.#timers.filter(({ atMs }) => atMs > this.nowMs);
    for (const { action } of due) action();
  }
}

function gateWith(...tokens: readonly Partial<Token>[]) {
  const clock = new HandClock();
  const secrets = tokens.map(() => createSecret());
  const kept = new Map(
    tokens.map((token, position): [string, Token] => {
      const secretHash = hashSecret(secrets[position]!)!;
      const base = { id: String(position), name: "n", role: "viewer", createdAt: 0, createdBy: "t" } as const;
      return [secretHash, { ...base, secretHash, ...token }];
    }),
  );
  let looks = 0;
  const lookup = {
    async find(hash: string) {
      looks += 1;
      return kept.get(hash);
    },
  };
  const gate = new Gate({ isOpen: false, tokens: [lookup], certificateRoles: { ops: "operator" }, clock });
  const show = (secret: string, address = "192.0.2.1") =>
    gate.admit({ authorization: `Bearer ${secret}`, certificateNames: [], address });
  return { clock, secrets, gate, show, looks: () => looks };
}

const refusedAs = (kind: string) => (error: unknown) => error instanceof RunwayError && error.kind === kind;

async function failTimes(
  show: (secret: string, address?: string) => Promise<unknown>,
  times: number,
  address?: string,
) {
  for (let time = 0; time < times; time += 1)
    await assert.rejects(show(createSecret(), address), refusedAs("unauthenticated"));
}

describe("the gate", () => {
  it("knows callers by token or by a name in their certificate", async () => {
    const { gate, show, secrets } = gateWith({ name: "ci", role: "operator" });
    const { name, role } = await show(secrets[0]!);
    assert.deepEqual([name, role], ["ci", "operator"]);
    const visitor = { authorization: undefined, address: "192.0.2.1" };
    const certified = await gate.admit({ ...visitor, certificateNames: ["someone", "ops"] });
    assert.deepEqual(certified, { name: "ops", role: "operator" });
    assert.equal((await gate.admit({ ...visitor, certificateNames: ["someone"] })).role, undefined);
  });

  it("refuses tokens that are unknown, expired, revoked, or no tokens at all", async () => {
    const { clock, show, secrets, gate } = gateWith({ expiresAt: 2_000_000 }, { revokedAt: 1 });
    assert.equal((await show(secrets[0]!)).role, "viewer");
    clock.pass(1_000_000);
    await assert.rejects(show(secrets[0]!), /has expired/);
    await assert.rejects(show(secrets[1]!), /was revoked/);
    for (const text of [createSecret(), "x", `rwy_${"x".repeat(1_000)}`])
      await assert.rejects(show(text), /is not known/);
    for (const authorization of ["Basic eDp5", "", "Bearer"])
      await assert.rejects(
        gate.admit({ authorization, certificateNames: ["ops"], address: "192.0.2.2" }),
        refusedAs("unauthenticated"),
      );
  });

  it("holds back the answer to an address that fails again and again, without a look at the token", async () => {
    const { clock, show, looks } = gateWith();
    await failTimes(show, 10);
    assert.equal(looks(), 10);
    const held = show(createSecret());
    let settled = false;
    held.catch(() => {}).finally(() => (settled = true));
    await new Promise(setImmediate);
    assert.deepEqual([settled, looks()], [false, 10]);
    clock.pass(1_000);
    await assert.rejects(held, refusedAs("tooManyAttempts"));
    clock.pass(70_000);
    await failTimes(show, 10);
    assert.equal(looks(), 20);
  });

  it("lets others in meanwhile: from other addresses, and with a token that was right before from the same", async () => {
    const { show, secrets } = gateWith({}, {});
    await show(secrets[0]!);
    await failTimes(show, 10);
    assert.equal((await show(secrets[0]!)).role, "viewer");
    assert.equal((await show(secrets[1]!, "192.0.2.9")).role, "viewer");
  });

  it("takes a network of IPv6 for one address, and a written-out one for its short form", async () => {
    const { show, looks } = gateWith();
    for (let host = 1; host <= 10; host += 1) await failTimes(show, 1, `2001:db8::${host}`);
    show(createSecret(), "2001:db8:0:0:1:2:3:4").catch(() => {});
    show(createSecret(), "2001:db8:0:1::1").catch(() => {});
    await new Promise(setImmediate);
    assert.equal(looks(), 11);
  });

  it("drops connections when too many answers are held back already", async () => {
    const { clock, show } = gateWith();
    await failTimes(show, 10);
    const held = Array.from({ length: 256 }, () => show(createSecret()));
    await assert.rejects(show(createSecret()), DropConnection);
    clock.pass(1_000);
    assert.ok((await Promise.allSettled(held)).every(({ status }) => status === "rejected"));
  });
});
