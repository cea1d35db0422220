import type { Redaction } from "../config/redaction.ts";
import type { ConfigurationDesk } from "./configuration-desk.ts";
import type { FleetView } from "./fleet-view.ts";

/** What operations on resources work with. */
export interface ResourceSources {
  readonly desk: ConfigurationDesk;
  readonly fleet: FleetView;
  readonly redaction: Redaction;
}
