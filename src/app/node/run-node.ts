import { readFile } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import { ReloadHistory } from "../../admin/reload-history.ts";
import { loadNode } from "../../config/load-node.ts";
import { describeProblem } from "../../config/problem.ts";
import { systemClock } from "../../core/clock.ts";
import { RunwayError } from "../../core/failure.ts";
import { AccessLogOutput } from "../../telemetry/access-log-output.ts";
import { PinoLogger } from "../../telemetry/pino-logger.ts";
import { PrometheusMeter } from "../../telemetry/prometheus-meter.ts";
import { EXIT } from "../exit-codes.ts";
import { listenToSignals } from "../signals.ts";
import { VERSION } from "../version.ts";
import { loadLanguage } from "./load-language.ts";
import { LogLevelSwitch } from "./log-level-switch.ts";
import type { NodeContext } from "./node-context.ts";
import type { RoleService } from "./role-service.ts";

export interface RunOptions {
  readonly file: string;
  readonly env: NodeJS.ProcessEnv;
}

/** Runs a node in the role that its file says until it is told to stop. Answers the exit code. */
export async function runNode({ file, env }: RunOptions): Promise<number> {
  const text = await readFile(file, "utf8");
  const extended = await loadLanguage(text, file, env);
  const loaded = extended.ok ? loadNode(extended.value.language, { text, file, env }) : extended;
  if (!extended.ok || !loaded.ok) {
    for (const problem of loaded.ok ? [] : loaded.problems)
      process.stderr.write(`${file}: ${describeProblem(problem)}\n`);
    return EXIT.invalid;
  }
  const { logger, stdout } = PinoLogger.toStandardOutput({
    level: loaded.value.settings.logging.level,
    terminal: process.stdout.isTTY === true,
  });
  const meter = new PrometheusMeter(logger);
  meter.observeProcess();
  const accessLog = new AccessLogOutput({ stdout, logger, clock: systemClock });
  const history = new ReloadHistory();
  const context = {
    file,
    env,
    version: VERSION,
    ...extended.value,
    loaded: loaded.value,
    logger,
    meter,
    clock: systemClock,
    history,
    logLevel: new LogLevelSwitch(logger, systemClock),
    accessLog,
  };
  try {
    return await untilStopped(context, await createRole(context));
  } finally {
    accessLog.flush();
    stdout.flush();
  }
}

/** A role's modules are loaded only where it runs: a data plane that starts again should serve at once. */
async function createRole(context: NodeContext): Promise<RoleService> {
  switch (context.loaded.settings.cluster.role) {
    case "standalone":
      return (await import("./standalone.ts")).createStandalone(context);
    case "control_plane":
      return (await import("./control-plane.ts")).createControlPlane(context);
    case "data_plane":
      return (await import("./data-plane.ts")).createDataPlane(context);
  }
}

async function untilStopped(context: NodeContext, role: RoleService): Promise<number> {
  const { logger, accessLog } = context;
  const told = Promise.withResolvers<void>();
  const ignoreSignals = listenToSignals({
    stop: told.resolve,
    reload: () => role.hangUp(),
    reopen: () => accessLog.reopen(),
  });
  try {
    await role.start();
    logger.info("Runway is running", { role: role.name, version: context.version, pid: process.pid });
    await told.promise;
    const { drainDelayMs, timeoutMs } = role.prepareToStop();
    logger.info("Runway is stopping", { drain_delay_ms: drainDelayMs, timeout_ms: timeoutMs });
    await pause(drainDelayMs);
    await role.stop(AbortSignal.timeout(timeoutMs));
    logger.info("Runway has stopped");
    return EXIT.ok;
  } catch (error) {
    const { detail, kind } = RunwayError.from(error);
    logger.error("Runway cannot go on", { reason: detail ?? String(error), error });
    return kind === "configurationInvalid" ? EXIT.invalid : EXIT.failed;
  } finally {
    ignoreSignals();
  }
}
