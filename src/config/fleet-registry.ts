import type { JsonObject } from "./json.ts";

/** What a control plane tells the others that share its store, at most once a second and only what has changed. */
export interface FleetReport {
  readonly controlPlane: { readonly id: string; readonly address: string };
  /** How nodes are, by a key that is the control plane's own; undefined when it no longer knows of one. */
  readonly nodes: ReadonlyMap<string, JsonObject | undefined>;
  /** Node ids that were claimed here, and by whom. */
  readonly claims: ReadonlyMap<string, string>;
  /** Node ids that were freed here. */
  readonly freed: readonly string[];
}

/** What the others told. */
export interface FleetNews {
  /** When the store was asked, to be given the next time; what changed shortly before may come twice. */
  readonly asOf: number;
  /** Every other control plane, and since when it has been silent, in milliseconds. */
  readonly controlPlanes: readonly { readonly id: string; readonly address: string; readonly silentMs: number }[];
  readonly nodes: readonly {
    readonly controlPlane: string;
    readonly key: string;
    readonly node: JsonObject | undefined;
  }[];
  /** Also one's own; undefined when the id is free again. */
  readonly claims: readonly { readonly nodeId: string; readonly owner: string | undefined }[];
}

/** The port through which control planes that share a store know each other and all nodes. */
export interface FleetRegistry {
  /** Forgets what a control plane of this id told before: it begins anew. */
  begin(controlPlaneId: string): Promise<void>;
  /** Tells, and answers what changed since `since`; 0 asks for everything. A claim on an id that has an owner is not taken. */
  exchange(report: FleetReport, since: number): Promise<FleetNews>;
}
