import { MAX_TOKENS, TOKEN_MEMORY_MS, type Token, type TokenStore } from "../../config/token-store.ts";
import type { Clock } from "../../core/clock.ts";
import { auditOfToken, refuseToken } from "../token-audit.ts";
import type { SqliteStore } from "./sqlite-store.ts";

/** The tokens of a SQLite store. */
export class SqliteTokenStore implements TokenStore {
  readonly #store: SqliteStore;
  readonly #clock: Clock;

  constructor(store: SqliteStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  async add(token: Token): Promise<void> {
    const now = this.#clock.now();
    this.#store.write(({ tokens, audit }) => {
      tokens.forgetEndedBefore(now - TOKEN_MEMORY_MS);
      if (tokens.count() >= MAX_TOKENS) refuseToken();
      tokens.add(token);
      audit.append(auditOfToken("token.create", token, token.createdBy), now);
    });
  }

  async list(): Promise<readonly Token[]> {
    return this.#store.use(({ tokens }) => tokens.all());
  }

  async find(secretHash: string): Promise<Token | undefined> {
    return this.#store.use(({ tokens }) => tokens.bySecret(secretHash));
  }

  async revoke(id: string, by: string): Promise<Token | undefined> {
    const now = this.#clock.now();
    return this.#store.write(({ tokens, audit }) => {
      const wasValid = tokens.revoke(id, now);
      const token = tokens.byId(id);
      if (wasValid && token !== undefined) audit.append(auditOfToken("token.revoke", token, by), now);
      return token;
    });
  }
}
