import {
  JOIN_TOKEN_MEMORY_MS,
  type JoinRequest,
  type JoinToken,
  type JoinTokenStore,
  type JoinVerdict,
  judgeJoin,
  MAX_JOIN_TOKENS,
} from "../../config/join-token-store.ts";
import type { Clock } from "../../core/clock.ts";
import { auditOfJoin, auditOfJoinToken, refuseJoinToken } from "../join-audit.ts";
import type { SqliteStore } from "./sqlite-store.ts";

/** The join tokens of a SQLite store. */
export class SqliteJoinTokenStore implements JoinTokenStore {
  readonly #store: SqliteStore;
  readonly #clock: Clock;

  constructor(store: SqliteStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  async add(token: JoinToken): Promise<void> {
    const now = this.#clock.now();
    this.#store.write(({ joinTokens, audit }) => {
      joinTokens.forgetEndedBefore(now - JOIN_TOKEN_MEMORY_MS);
      if (joinTokens.count() >= MAX_JOIN_TOKENS) refuseJoinToken();
      joinTokens.add(token);
      audit.append(auditOfJoinToken("join_token.create", token, token.createdBy), now);
    });
  }

  async list(): Promise<readonly JoinToken[]> {
    return this.#store.use(({ joinTokens }) => joinTokens.all());
  }

  async use(request: JoinRequest): Promise<JoinVerdict> {
    const { secretHash, keyFingerprint } = request;
    const now = this.#clock.now();
    return this.#store.write(({ joinTokens, audit }) => {
      const token = joinTokens.bySecret(secretHash);
      const isTaken = (nodeId: string) => request.isTaken(nodeId) || joinTokens.wasUsedBy(nodeId);
      const verdict = judgeJoin(token, request, now, isTaken);
      if (token === undefined || !verdict.allowed || token.use !== undefined) return verdict;
      joinTokens.use(token.id, { nodeId: verdict.nodeId, keyFingerprint, at: now });
      audit.append(auditOfJoin(token, verdict.nodeId, keyFingerprint), now);
      return verdict;
    });
  }

  async revoke(id: string, by: string): Promise<boolean> {
    return this.#store.write(({ joinTokens, audit }) => {
      const token = joinTokens.remove(id);
      if (token === undefined) return false;
      audit.append(auditOfJoinToken("join_token.revoke", token, by), this.#clock.now());
      return true;
    });
  }
}
