import { createHmac } from "node:crypto";
import type { SessionAffinitySettings } from "../../../config/resources/session-affinity.ts";
import { cookieOf } from "../../../http/cookie.ts";
import type { BalancedRequest } from "../balancer/balancer.ts";
import type { Target } from "../target.ts";

const TOKEN_CHARACTERS = 22; // 132 bits.
const SAME_SITE = { lax: "Lax", strict: "Strict", none: "None" } as const;

/**
 * Which target a client's cookie stands for. The token is a keyed hash of the target's URL, so it is the same in every worker, on every
 * node and after a restart, it says nothing about the target, and there is nothing to sign: who makes one up gets at most another
 * target of the same upstream, which asking often enough gets too.
 */
export class SessionAffinity {
  readonly #settings: SessionAffinitySettings;
  readonly #byToken = new Map<string, Target>();
  readonly #tokens = new Map<Target, string>();

  constructor(settings: SessionAffinitySettings) {
    this.#settings = settings;
  }

  add(url: string, target: Target): void {
    const key = this.#settings.secret ?? "runway session affinity";
    const token = createHmac("sha256", key).update(url).digest("base64url").slice(0, TOKEN_CHARACTERS);
    this.#byToken.set(token, target);
    this.#tokens.set(target, token);
  }

  /** The target that the client was answered by, if it still is one. */
  targetOf({ fields }: BalancedRequest): Target | undefined {
    const token = cookieOf(fields, this.#settings.cookie_name);
    return token === undefined ? undefined : this.#byToken.get(token);
  }

  /** The line that tells the client about its target; empty where it knows. */
  cookieLine(request: BalancedRequest, target: Target): string {
    if (this.targetOf(request) === target) return "";
    const token = this.#tokens.get(target);
    if (token === undefined) return "";
    const { cookie_name, ttl, path, same_site, secure } = this.#settings;
    const age = ttl === 0 ? "" : `; Max-Age=${Math.ceil(ttl / 1_000)}`;
    return `Set-Cookie: ${cookie_name}=${token}; Path=${path}${age}; HttpOnly; SameSite=${SAME_SITE[same_site]}${secure ? "; Secure" : ""}\r\n`;
  }
}
