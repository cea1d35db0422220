/** What the admin API of a data plane needs of its side of the cluster. */
export interface DataPlaneView {
  status(): DataPlaneStatus;
}

export interface DataPlaneStatus {
  readonly nodeId: string;
  /** The control plane that it is connected to, or tries next. */
  readonly cpAddress: string;
  /** True once a control plane has accepted this node. */
  readonly connected: boolean;
  readonly epoch?: string | undefined;
  /** Of the configuration served; 0 when there is none or its version is not known. */
  readonly configVersion: number;
  readonly configHash: bigint;
  readonly hasConfig: boolean;
  readonly connectedAtMs?: number | undefined;
  /** Why there is no connection, or why the last configuration was not taken. */
  readonly lastError?: string | undefined;
  /** A version that the control plane does not give to this node, and why. */
  readonly withheld?: { readonly version: number; readonly hash: bigint; readonly reason: string } | undefined;
  /** `original`: a control plane of the original Runway. */
  readonly peer?: "runway" | "original" | undefined;
}
