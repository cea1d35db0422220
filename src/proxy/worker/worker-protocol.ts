import type { Problem } from "../../config/problem.ts";
import type { Consumer } from "../../config/resources/consumer.ts";
import type { Listener } from "../../config/resources/listener.ts";
import type { Route } from "../../config/resources/route.ts";
import type { Settings } from "../../config/resources/settings.ts";
import type { Upstream } from "../../config/resources/upstream.ts";
import type { EventCount } from "../plugin/event-counts.ts";
import type { PluginConfiguration } from "../plugin/plugin-directory.ts";
import type { TlsMaterial } from "../tls/tls-material.ts";
import type { SharedUpstreams } from "../upstream/health/shared-upstream.ts";

/** A listener together with the sockets it stands for. */
export interface PlannedListener {
  readonly listener: Listener;
  /** Names the sockets: listeners of two configurations with the same key share them. */
  readonly key: string;
  readonly host: string | undefined;
  /** Never 0. */
  readonly port: number;
  /** Where its connections are counted, see connection-count.ts. */
  readonly counts: SharedArrayBuffer;
}

/** All listeners and what they show their clients. */
export interface Doors {
  readonly listeners: readonly PlannedListener[];
  readonly tls: TlsMaterial;
}

/**
 * What the supervisor asks of a worker. Each command is answered before the next is sent. A configuration comes as
 * `begin`, then `consumers`, `upstreams` and `routes` in slices, so that a large one never keeps a request waiting for long, then `listen`;
 * after that it is ready, and `commit` or `abort` ends it. What changes the one in effect comes as `change`, `upstreams`, `routes` and
 * `remove`, as far as there are some, and `listen` where listeners change.
 */
export type Command =
  | {
      readonly type: "begin";
      readonly settings: Settings;
      readonly listeners: readonly PlannedListener[];
      readonly tls: TlsMaterial;
      readonly plugins: PluginConfiguration;
    }
  /** Without `doors` the listeners stay as they are. */
  | { readonly type: "change"; readonly doors?: Doors | undefined }
  | { readonly type: "consumers"; readonly consumers: readonly Consumer[] }
  | { readonly type: "upstreams"; readonly upstreams: readonly Upstream[]; readonly shared: SharedUpstreams }
  /**
   * `slots`: the place where each of the routes is counted, see route-slots.ts. `shared`: the memory of those with targets that
   * workers know something of together, as with upstreams.
   */
  | {
      readonly type: "routes";
      readonly routes: readonly Route[];
      readonly slots: readonly number[];
      readonly shared: SharedUpstreams;
    }
  /** By id. */
  | { readonly type: "remove"; readonly upstreams: readonly string[]; readonly routes: readonly string[] }
  | { readonly type: "listen" }
  | { readonly type: "commit" }
  | { readonly type: "abort" }
  /** Other certificates for the configuration in effect. */
  | { readonly type: "renew"; readonly tls: TlsMaterial }
  | ({ readonly type: "drain" } & Draining)
  /** Answered once the last connection is closed. */
  | { readonly type: "stop" };

/** Whether connections end with their next answer, and whether there are none new. */
export interface Draining {
  readonly isDraining: boolean;
  readonly isClosed: boolean;
}

export type LogLevel = "debug" | "info" | "warn" | "error";

/** What a worker says. `done` and `refused` answer the oldest command that is not answered yet. */
export type Report =
  | { readonly type: "ready" }
  | { readonly type: "done"; readonly tookMs: number }
  | { readonly type: "refused"; readonly problems: readonly Problem[] }
  /** Lines of the access log, in memory that the worker fills again once this piece is counted in `taken`. */
  | { readonly type: "access"; readonly octets: Uint8Array; readonly lines: number; readonly taken: Int32Array }
  /** What plugins counted since the last such report. */
  | { readonly type: "events"; readonly counts: readonly EventCount[] }
  | {
      readonly type: "log";
      readonly level: LogLevel;
      readonly message: string;
      readonly fields: Record<string, unknown>;
    };

/** Says something to the supervisor. */
export type Post = (report: Report) => void;

/** What a worker is born with. */
export interface WorkerBirth {
  readonly worker: number;
  /** The memory that it counts in. */
  readonly row: SharedArrayBuffer;
  /** URLs of the modules whose plugins it runs, in the order of running. */
  readonly plugins: readonly string[];
  /** What plugins count in, together with the other workers. */
  readonly shared: SharedArrayBuffer;
}
