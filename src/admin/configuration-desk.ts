import type { ConfigurationChange } from "./configuration-change.ts";

/** Where the configuration of a control plane is read and changed. */
export interface ConfigurationDesk {
  current(): Promise<CurrentConfiguration>;
  /**
   * Validates, commits, applies here and sends out; all or nothing. Identical content makes no version.
   * @throws RunwayError versionConflict when `expectedVersion` is not the current one, storeUnavailable
   */
  push(push: ConfigurationPush): Promise<ConfigurationChange>;
}

export interface CurrentConfiguration {
  readonly epoch: string;
  readonly version: number;
  readonly hash: bigint;
  readonly committedAtMs: number;
  /** `init`, `file` or `admin-api` */
  readonly source: string;
  /** The document without the node's own blocks; pushing it back changes nothing. */
  readonly yaml: string;
}

export interface ConfigurationPush {
  readonly yaml: string;
  /** Who asked, as far as it is known. */
  readonly author: string;
  /** Why, for the history. */
  readonly message?: string;
  /** Only finds out what would change. */
  readonly dryRun: boolean;
  readonly expectedVersion?: number;
}
