import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import { eventually } from "../../testing/test-proxy.ts";
import { UpstreamStage } from "../testing/upstream-stage.ts";

const open: UpstreamStage[] = [];
afterEach(async () => {
  for (const stage of open.splice(0)) await stage.stop();
});

async function stageOf(policy: object, route: object = {}): Promise<UpstreamStage> {
  const stage = await UpstreamStage.open("abc", policy, route);
  open.push(stage);
  return stage;
}

const cookieIn = (text: string) => /^Set-Cookie: ([^;\r]*)(.*)\r$/m.exec(text);

describe("session affinity", () => {
  it("keeps a client with the target that answered it first, and others with theirs", async () => {
    for (const route of [{}, { retry_policy: { max_retries: 1 } }]) {
      const stage = await stageOf({ session_affinity: { ttl: "90s" } }, route);
      for (const answer of await stage.ask(3)) {
        const [, cookie, attributes] = cookieIn(answer.text)!;
        assert.equal(attributes, "; Path=/; Max-Age=90; HttpOnly; SameSite=Lax");
        const later = await stage.ask(5, `Cookie: a=b; ${cookie}; c=d`);
        assert.deepEqual([...new Set(later.map(({ by }) => by))], [answer.by]);
        assert.ok(
          later.every(({ text }) => cookieIn(text) === null),
          "it is said once",
        );
      }
    }
  });

  it("shows nothing of a target, and with a secret nothing that can be recognised", async () => {
    const tokenOf = async (secret: object) => {
      const stage = await stageOf({ session_affinity: secret });
      const [answer] = await stage.ask(1);
      const token = cookieIn(answer!.text)![1]!.split("=")[1]!;
      assert.match(token, /^[\w-]{22}$/);
      for (const { url } of stage.origins) assert.ok(!answer!.text.includes(new URL(url).port));
      return token;
    };
    assert.notEqual(await tokenOf({}), await tokenOf({ secret: "a secret of some length" }));
  });

  it("gives a client another target when its own takes no requests, and says so", async () => {
    const check = { interval: "20ms", timeout: "20ms", healthy_after: 1, unhealthy_after: 1 };
    const stage = await stageOf({ session_affinity: {}, health_check: check });
    const [first] = await stage.ask(1);
    const cookie = `Cookie: ${cookieIn(first!.text)![1]}`;
    stage.origin(first!.by).mood = "failing";
    await eventually(() => stage.logged().includes("A target is unhealthy"), "the finding");
    const [other] = await stage.ask(1, cookie);
    assert.notEqual(other!.by, first!.by);
    assert.ok(cookieIn(other!.text));
  });

  it("takes a cookie that stands for nothing for none", async () => {
    const stage = await stageOf({ session_affinity: {} });
    for (const cookie of ["X-Session-Backend=", "X-Session-Backend=nonsense", "X-Session-Backend=__proto__"])
      assert.ok(cookieIn((await stage.ask(1, `Cookie: ${cookie}`))[0]!.text));
  });
});
