import type { Tool } from "../debian-tools.ts";
import type { Usage } from "../process-tree.ts";

/**
 * What not every subject can do. A workload names what it needs; a subject without it is named aloud and left out.
 * `workers`: more than one. `live-changes`: takes a changed configuration while it serves. `key-and-limit`: knows clients by keys and
 * limits their rate.
 */
export type Feature = "tls" | "http2" | "websocket" | "access-log" | "workers" | "live-changes" | "key-and-limit";

/** A proxy that can be measured. One more is one more file and one line in `subjects.ts`. */
export interface Subject {
  readonly name: string;
  readonly needs: readonly Tool[];
  readonly features: readonly Feature[];
  version(): Promise<string>;
  /** Starts it on the measured core, forwarding everything to the origin; ready when this answers. */
  start(setting: Setting): Promise<RunningProxy>;
}

/** What every subject is given alike. */
export interface Setting {
  readonly originPort: number;
  /** Connections of the generator; every subject may keep as many to the origin. */
  readonly connections: number;
  readonly workers: number;
  /** One line for each request, to a file or to standard output. */
  readonly accessLog: boolean;
  /** Routes besides the one that forwards everything. Only what takes live changes has them. */
  readonly otherRoutes: number;
  /** The key that `/guarded` asks for, whose rate is limited too, but higher than anybody asks; `/open` is the same without. Empty: neither is there. */
  readonly guardedByKey: string;
  /** Only HTTPS is spoken then: HTTP/1.1, and HTTP/2 too if that is wanted. */
  readonly tls: TlsSetting | undefined;
  /** For its configuration; removed afterwards. */
  readonly folder: string;
  readonly signal: AbortSignal;
}

interface TlsSetting {
  readonly certFile: string;
  readonly keyFile: string;
  readonly http2: boolean;
}

export interface RunningProxy extends AsyncDisposable {
  readonly port: number;
  /** `http://127.0.0.1:8080` without a path. */
  readonly url: string;
  usage(): Usage;
  /** Makes it serve another configuration, a different one for each number. Only with the feature `live-changes`. */
  change?(number: number): Promise<void>;
}
