import type { SecureContext } from "node:tls";

/** How connections to one target are secured. */
export interface ClientTls {
  readonly context: SecureContext;
  /** Whether the target's certificate has to be for its host and of a believed authority. */
  readonly verify: boolean;
  /** The latest session with the target, for the next connection to resume. */
  session: Buffer | undefined;
}
