import type { AuditLog } from "./audit-log.ts";
import type { CallBoard } from "./call-board.ts";
import type { FleetRegistry } from "./fleet-registry.ts";
import type { JoinTokenStore } from "./join-token-store.ts";
import type { RevisionLog } from "./revision-log.ts";
import type { RevocationList } from "./revocation-list.ts";
import type { TokenStore } from "./token-store.ts";

/** Everything that a control plane has to remember, in one database. */
export interface Store {
  /** Opens it, making what is not there. Answers its epoch, which is made once and kept for good. */
  open(): Promise<string>;
  close(): Promise<void>;
  /**
   * Calls `listener` when another control plane may have changed something, until the answer is called. It is a hint: it
   * may be late, be missing or be for nothing, so whoever must not miss a change looks by itself too.
   */
  watch(listener: () => void): () => void;
  readonly revisions: RevisionLog;
  readonly audit: AuditLog;
  readonly tokens: TokenStore;
  readonly revocations: RevocationList;
  readonly joinTokens: JoinTokenStore;
  /** Where control planes that share the store know each other; undefined for a store that has but one. */
  readonly fleet: FleetRegistry | undefined;
  /** Where they have each other call nodes; there when `fleet` is. */
  readonly calls: CallBoard | undefined;
}
