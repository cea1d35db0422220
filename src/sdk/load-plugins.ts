import { isPlugin, type Plugin } from "./plugin.ts";

/** Why a module gives no plugins; the message begins with what is wrong, not with the module. */
class PluginModuleError extends Error {
  readonly url: string;

  constructor(url: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "PluginModuleError";
    this.url = url;
  }
}

/**
 * Imports the modules at `urls` and answers the plugins that they export, one by one or in lists. Every
 * thread of a node loads the same modules for itself.
 * @throws PluginModuleError when a module cannot be loaded or exports no plugin
 */
export async function loadPlugins(urls: readonly string[]): Promise<Plugin[]> {
  const plugins: Plugin[] = [];
  for (const url of urls) plugins.push(...pluginsOf(url, await importModule(url)));
  return plugins;
}

async function importModule(url: string): Promise<Record<string, unknown>> {
  try {
    return (await import(url)) as Record<string, unknown>;
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === "ERR_MODULE_NOT_FOUND";
    const reason = error instanceof Error ? error.message.split("\n")[0] : String(error);
    const message =
      isMissing && reason?.includes(fileOf(url)) ? "there is no such file" : `it cannot be loaded: ${reason}`;
    throw new PluginModuleError(url, message, { cause: error });
  }
}

function fileOf(url: string): string {
  return decodeURIComponent(url.slice(url.lastIndexOf("/") + 1));
}

function pluginsOf(url: string, module: Record<string, unknown>): readonly Plugin[] {
  const plugins = new Set(Object.values(module).flat().filter(isPlugin));
  if (plugins.size > 0) return [...plugins];
  throw new PluginModuleError(url, "it exports no plugin, as `export const name = definePlugin({ … })` does");
}
