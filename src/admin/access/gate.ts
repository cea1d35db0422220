import type { AdminRole } from "../../config/node-settings.ts";
import type { Token } from "../../config/token-store.ts";
import type { Clock } from "../../core/clock.ts";
import { RunwayError } from "../../core/failure.ts";
import { type Caller, STRANGER } from "./caller.ts";
import { GuessLimit } from "./guess-limit.ts";
import { hashSecret } from "./token-secret.ts";

/** How long the answer to a failed attempt is held back once an address has failed too often. */
const HELD_MS = 1_000;
/** Answers held back at a time; beyond them the connection is dropped. */
const MAX_HELD = 256;
const MAX_REMEMBERED = 1_000;

/** Where tokens are looked up, by the hash of their secret. */
export interface TokenLookup {
  find(secretHash: string): Promise<Token | undefined>;
}

export interface GateOptions {
  /** Whether whoever shows nothing may do everything: on loopback, or where the file says so. */
  readonly isOpen: boolean;
  readonly tokens: readonly TokenLookup[];
  /** By a name in a client certificate that was verified. */
  readonly certificateRoles: Readonly<Record<string, AdminRole>>;
  readonly clock: Clock;
}

export interface Visitor {
  /** The Authorization header. */
  readonly authorization: string | undefined;
  /** Names in the client certificate, none when there is none or it was not verified. */
  readonly certificateNames: readonly string[];
  readonly address: string;
}

/** Thrown instead of an answer: the connection is to be dropped. */
export class DropConnection extends Error {}

/**
 * Finds out who asks. An address that shows wrong tokens again and again gets its refusals late, and for tokens that have
 * not been right before without a look at them; somebody else's right token is accepted from the same address all the while.
 */
export class Gate {
  readonly #options: GateOptions;
  readonly #guesses: GuessLimit;
  /** Hashes of secrets that were right, the latest last. */
  readonly #right = new Set<string>();
  #held = 0;

  constructor(options: GateOptions) {
    this.#options = options;
    this.#guesses = new GuessLimit(() => options.clock.monotonicMs());
  }

  /** @throws RunwayError unauthenticated, tooManyAttempts; DropConnection */
  async admit({ authorization, certificateNames, address }: Visitor): Promise<Caller> {
    if (authorization !== undefined) return this.#byToken(authorization, address);
    const { certificateRoles, isOpen } = this.#options;
    const name = certificateNames.find((known) => Object.hasOwn(certificateRoles, known));
    if (name !== undefined) return { name, role: certificateRoles[name] };
    return isOpen ? { name: "anonymous", role: "administrator" } : STRANGER;
  }

  async #byToken(authorization: string, address: string): Promise<Caller> {
    const hash = hashSecret(/^Bearer +(\S+)$/i.exec(authorization)?.[1] ?? "");
    const waitMs = this.#guesses.waitMs(address);
    if (waitMs > 0 && (hash === undefined || !this.#right.has(hash))) return this.#holdBack(address, waitMs);
    const token = hash === undefined ? undefined : await this.#find(hash);
    const fault = token === undefined ? "is not known" : this.#faultOf(token);
    if (token === undefined || fault !== undefined) {
      this.#guesses.failed(address);
      if (hash !== undefined) this.#right.delete(hash);
      throw new RunwayError("unauthenticated", `The token ${fault}. Send "Authorization: Bearer <token>".`);
    }
    this.#remember(hash!);
    return token;
  }

  async #find(hash: string): Promise<Token | undefined> {
    for (const lookup of this.#options.tokens) {
      const token = await lookup.find(hash);
      if (token !== undefined) return token;
    }
    return undefined;
  }

  #faultOf({ expiresAt, revokedAt }: Token): string | undefined {
    if (revokedAt !== undefined) return "was revoked";
    return expiresAt !== undefined && expiresAt <= this.#options.clock.now() ? "has expired" : undefined;
  }

  #remember(hash: string): void {
    this.#right.delete(hash);
    this.#right.add(hash);
    if (this.#right.size > MAX_REMEMBERED) this.#right.delete(this.#right.values().next().value!);
  }

  async #holdBack(address: string, waitMs: number): Promise<never> {
    this.#guesses.failed(address);
    if (this.#held >= MAX_HELD) throw new DropConnection();
    this.#held += 1;
    await new Promise<void>((resolve) => this.#options.clock.after(HELD_MS, resolve));
    this.#held -= 1;
    const seconds = Math.ceil(waitMs / 1_000);
    throw new RunwayError("tooManyAttempts", `Wrong tokens came from ${address}. Try again in ${seconds} s.`);
  }
}
