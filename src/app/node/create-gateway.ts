import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { extname } from "node:path";
import { secretResolver } from "../../config/secret-reference.ts";
import { Supervisor } from "../../proxy/supervisor.ts";
import { Gateway } from "./gateway.ts";
import type { NodeContext } from "./node-context.ts";

/** Where workers, which import nothing of the app, find the plugins of the house. */
const HOUSE_PLUGINS = new URL(`../../plugins/index${extname(import.meta.url)}`, import.meta.url).href;

/** The gateway of this node, with as many workers as its settings say; `workers: 0` makes one that only checks. */
export function createGateway({
  language,
  extensions,
  loaded,
  env,
  logger,
  logLevel,
  accessLog,
  meter,
  clock,
}: NodeContext): Gateway {
  const { workers: wanted } = loaded.settings;
  const workers = wanted === "auto" ? availableParallelism() : wanted;
  return new Gateway({
    language,
    supervisor:
      workers === 0
        ? undefined
        : new Supervisor({ workers, plugins: [HOUSE_PLUGINS, ...extensions], accessLog, logger, meter, clock }),
    overlay: loaded.overlay,
    resolveSecret: secretResolver({ env, readFile: (path) => readFileSync(path, "utf8") }),
    onApplied: ({ settings }) => {
      logLevel.configure(settings.logging.level);
      accessLog.target = settings.access_log.output;
    },
    logger,
    clock,
  });
}
