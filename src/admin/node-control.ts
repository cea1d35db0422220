import type { JsonObject } from "../config/json.ts";
import type { Resource } from "../config/resource.ts";
import type { GatewayView } from "./gateway-view.ts";

export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** A running node as a person has it do something or tell something, from its own admin API or through its control plane. */
export interface NodeControl {
  readonly gateway: GatewayView;
  readonly logLevel: LogLevelControl;
  /** The node's name, program and plugins. */
  about(): JsonObject;
  /** What the process takes, beside what the gateway counts. */
  process(): { readonly uptimeSeconds: number; readonly memoryBytes: number };
  /** What runs now, the node's own listeners and logging included. */
  running(): RunningConfiguration;
  /** Has everything sent and verified anew; left out where no control plane gives the configuration. @throws RunwayError */
  readonly resync?: () => void;
  /** Has the node's certificate renewed soon; left out where the node does not see to it. */
  readonly renew?: (() => void) | undefined;
  now(): number;
}

/** The least important lines that are written: as configured, or otherwise for a while. */
export interface LogLevelControl {
  readonly configured: LogLevel;
  readonly override: { readonly level: LogLevel; readonly untilMs: number } | undefined;
  /** Goes back by itself after `forMs`. */
  set(level: LogLevel, forMs: number): void;
  reset(): void;
}

export interface RunningConfiguration {
  /** Where a store counts them. */
  readonly version?: { readonly epoch: string; readonly number: number; readonly hash: bigint };
  /** With the secrets that are written in them. */
  readonly resources: readonly Resource[];
  /** The resource without them. */
  redact(resource: Resource): Resource;
}
