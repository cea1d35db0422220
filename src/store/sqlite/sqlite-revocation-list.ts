import {
  MAX_REVOCATIONS,
  REVOCATION_MEMORY_MS,
  type Revocation,
  type RevocationList,
  type RevokedKind,
} from "../../config/revocation-list.ts";
import type { Clock } from "../../core/clock.ts";
import { auditOfLifting, auditOfRevocation, refuseRevocation } from "../revocation-audit.ts";
import type { OpenStore, SqliteStore } from "./sqlite-store.ts";

/** What was revoked, in a SQLite store. */
export class SqliteRevocationList implements RevocationList {
  readonly #store: SqliteStore;
  readonly #clock: Clock;

  constructor(store: SqliteStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  async add(revocations: readonly Revocation[]): Promise<void> {
    const now = this.#clock.now();
    this.#store.write((store) => {
      store.revocations.forgetEndedBefore(now - REVOCATION_MEMORY_MS);
      for (const revocation of revocations) {
        store.revocations.put(revocation);
        store.audit.append(auditOfRevocation(revocation), now);
      }
      if (store.revocations.count() > MAX_REVOCATIONS) refuseRevocation();
      countChange(store);
    });
  }

  async lift(kind: RevokedKind, value: string, by: string): Promise<boolean> {
    return this.#store.write((store) => {
      if (!store.revocations.remove(kind, value)) return false;
      store.audit.append(auditOfLifting(kind, value, by), this.#clock.now());
      countChange(store);
      return true;
    });
  }

  async list(): Promise<readonly Revocation[]> {
    return this.#store.use(({ revocations }) => revocations.all());
  }

  async mark(): Promise<number> {
    return this.#store.use(markOf);
  }
}

function markOf({ revisions }: OpenStore): number {
  return Number(revisions.fact("revocation_mark") ?? 0);
}

function countChange(store: OpenStore): void {
  store.revisions.setFact("revocation_mark", String(markOf(store) + 1));
}
