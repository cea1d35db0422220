import type { AuditLog } from "./audit-log.ts";
import type { RevisionLog } from "./revision-log.ts";
import type { TokenStore } from "./token-store.ts";

/** Everything that a control plane has to remember, in one database. */
export interface Store {
  /** Opens it, making what is not there. Answers its epoch, which is made once and kept for good. */
  open(): Promise<string>;
  close(): Promise<void>;
  readonly revisions: RevisionLog;
  readonly audit: AuditLog;
  readonly tokens: TokenStore;
}
