import type { Tool } from "../debian-tools.ts";
import type { Usage } from "../process-tree.ts";

/** A proxy that can be measured. One more is one more file and one line in `subjects.ts`. */
export interface Subject {
  readonly name: string;
  readonly needs: readonly Tool[];
  version(): Promise<string>;
  /** Starts it with one worker on the measured core, forwarding everything to the origin; ready when this answers. */
  start(setting: Setting): Promise<RunningProxy>;
}

/** What every subject is given alike. */
export interface Setting {
  readonly originPort: number;
  /** Connections of the generator; every subject may keep as many to the origin. */
  readonly connections: number;
  /** For its configuration; removed afterwards. */
  readonly folder: string;
  readonly signal: AbortSignal;
}

export interface RunningProxy extends AsyncDisposable {
  readonly port: number;
  usage(): Usage;
}
