import type { Clock } from "../../core/clock.ts";
import type { Logger } from "../../core/ports.ts";
import type { OctetBuffers } from "../../http/octet-buffers.ts";
import type { Sweep } from "../../http/sweep.ts";
import type { WorkerCells } from "../counters/shared-state.ts";
import type { AccessLog } from "../exchange/access-log.ts";
import type { RequestIds } from "../exchange/request-ids.ts";
import type { PluginRuntime } from "../plugin/plugin-runtime.ts";
import type { CompiledConfiguration } from "../route/compiled-configuration.ts";

/** What all exchanges of a worker look at. */
export interface Gateway {
  /** Replaced as a whole when a configuration is applied; an exchange keeps the route it began with. */
  readonly configuration: CompiledConfiguration;
  /** Whether connections are closed with their next answer. */
  readonly isDraining: boolean;
  /** Whether new requests are refused, so that those begun can be finished. */
  readonly isOverloaded: boolean;
  /** The Date field of answers, as a line. */
  readonly dateLine: string;
  readonly requestIds: RequestIds;
  readonly plugins: PluginRuntime;
  readonly sweep: Sweep;
  readonly buffers: OctetBuffers;
  readonly cells: WorkerCells;
  readonly accessLog: AccessLog;
  readonly clock: Clock;
  readonly logger: Logger;
}
