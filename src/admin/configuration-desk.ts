import type { Delta } from "../config/delta.ts";
import type { Resource } from "../config/resource.ts";
import type { Snapshot } from "../config/snapshot.ts";
import type { ConfigurationChange } from "./configuration-change.ts";

/** Where the configuration of a control plane is read and changed. */
export interface ConfigurationDesk {
  current(): Promise<CurrentConfiguration>;
  /**
   * Validates, commits, applies here and sends out; all or nothing. Identical content makes no version.
   * @throws RunwayError versionConflict when `expectedVersion` is not the current one, storeUnavailable
   */
  push(push: ConfigurationPush): Promise<ConfigurationChange>;
  /** The newest version with its resources. */
  head(): Promise<Snapshot>;
  /**
   * Changes resources: `edit` says what is to be different from the newest version, and is asked again when another one came
   * meanwhile. As `push`, all or nothing; a dry run also finds out whether it could be applied here.
   * @throws whatever `edit` throws, RunwayError versionConflict, storeUnavailable
   */
  edit(edit: ConfigurationEdit, terms: ChangeTerms): Promise<ConfigurationChange>;
}

export type ConfigurationEdit = (head: Snapshot) => Delta | Promise<Delta>;

export interface ChangeTerms {
  /** Who asked, as far as it is known. */
  readonly author: string;
  /** Why, for the history; may be empty. */
  readonly message: string;
  /** Only finds out what would change. */
  readonly dryRun: boolean;
  readonly expectedVersion?: number;
}

export interface CurrentConfiguration {
  readonly epoch: string;
  readonly version: number;
  readonly hash: bigint;
  readonly committedAtMs: number;
  /** `init`, `file` or `admin-api` */
  readonly source: string;
  readonly resources: readonly Resource[];
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
