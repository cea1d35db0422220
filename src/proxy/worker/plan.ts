import type { Configuration } from "../../config/configuration.ts";
import type { ConfigurationChange } from "../../config/configuration-change.ts";
import type { TlsMaterial } from "../tls/tls-material.ts";
import type { SharedUpstreams } from "../upstream/health/shared-upstream.ts";
import type { PlannedListener } from "./worker-protocol.ts";

/** A configuration with the addresses that its listeners have. */
export interface Plan {
  /** With the targets that were discovered. */
  readonly configuration: Configuration;
  readonly listeners: readonly PlannedListener[];
  /** The memory of upstreams that workers know something of together. */
  readonly shared: SharedUpstreams;
  readonly tls: TlsMaterial;
  /** Where `tls` came from. */
  readonly tlsFiles: readonly string[];
}

/** What turns the plan in effect into the next. */
export interface PlanChange {
  readonly from: Plan;
  readonly to: Plan;
  readonly change: ConfigurationChange;
}
