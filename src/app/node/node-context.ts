import type { ReloadHistory } from "../../admin/reload-history.ts";
import type { Language } from "../../config/language.ts";
import type { LoadedNode } from "../../config/load-node.ts";
import type { Clock } from "../../core/clock.ts";
import type { AccessLogOutput } from "../../telemetry/access-log-output.ts";
import type { PinoLogger } from "../../telemetry/pino-logger.ts";
import type { PrometheusMeter } from "../../telemetry/prometheus-meter.ts";
import type { LogLevelSwitch } from "./log-level-switch.ts";

/** What every role is made from. */
export interface NodeContext {
  readonly file: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Of the program. */
  readonly version: string;
  /** The configuration language of this node, with its plugins. */
  readonly language: Language;
  /** URLs of the modules with plugins that its file names. */
  readonly extensions: readonly string[];
  readonly loaded: LoadedNode;
  readonly logger: PinoLogger;
  readonly meter: PrometheusMeter;
  readonly clock: Clock;
  readonly history: ReloadHistory;
  readonly logLevel: LogLevelSwitch;
  readonly accessLog: AccessLogOutput;
}
