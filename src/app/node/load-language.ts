import { dirname, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { Language } from "../../config/language.ts";
import { type Checked, checked, type Problem, refused } from "../../config/problem.ts";
import { lineLookup } from "../../config/source-lines.ts";
import { NODE_KEYS } from "../../config/split-document.ts";
import type { Variables } from "../../config/variables.ts";
import { readYaml } from "../../config/yaml.ts";
import { PLUGINS } from "../../plugins/index.ts";
import { loadPlugins } from "../../sdk/load-plugins.ts";
import type { Plugin } from "../../sdk/plugin.ts";

/** The configuration language of a node, and where its workers find the plugins that are not of the house. */
export interface NodeLanguage {
  readonly language: Language;
  /** URLs of modules, in the order of running. */
  readonly extensions: readonly string[];
}

/** Loads the plugins that a node's file names in `extensions`, before anything else of the file can be understood. */
export async function loadLanguage(text: string, file: string, env: Variables): Promise<Checked<NodeLanguage>> {
  const paths = extensionsIn(text, env);
  const lineOf = lineLookup(text);
  const plugins: Plugin[] = [...PLUGINS];
  const urls: string[] = [];
  const problems: Problem[] = [];
  for (const [position, path] of paths.entries()) {
    const url = pathToFileURL(resolve(dirname(file), path)).href;
    const place = `extensions[${position}]`;
    const report = (message: string) => {
      const line = lineOf(place);
      problems.push({ path: place, message: `${path}: ${message}`, ...(line === undefined ? {} : { line }) });
    };
    try {
      const loaded = await loadPlugins([url]);
      for (const { name } of loaded.filter((plugin) => isTaken(plugin, plugins)))
        report(`it has a plugin "${name}", and there is something of that name already; give yours another name`);
      plugins.push(...loaded);
      urls.push(url);
    } catch (error) {
      report((error as Error).message);
    }
  }
  if (problems.length > 0) return refused(problems);
  return checked({ language: new Language(plugins), extensions: urls });
}

/** What is no list of paths is told of when the file is checked. */
function extensionsIn(text: string, env: Variables): readonly string[] {
  const root = readYaml(text, env);
  const extensions = root.ok ? root.value.extensions : undefined;
  return Array.isArray(extensions) && extensions.every((path) => typeof path === "string") ? extensions : [];
}

function isTaken({ name, resources = {} }: Plugin, plugins: readonly Plugin[]): boolean {
  if (plugins.some((other) => other.name === name)) return true;
  const { sections, settings } = new Language([]);
  const keys: readonly string[] = [
    ...NODE_KEYS,
    "id",
    "order",
    ...Object.keys(settings),
    ...sections.flatMap(({ key, spec }) => [key, ...Object.keys(spec.shape)]),
  ];
  const kinds = [
    "settings",
    ...sections.map(({ kind }) => kind),
    ...plugins.flatMap((other) => Object.keys(other.resources ?? {})),
  ];
  return keys.includes(name) || Object.keys(resources).some((kind) => kinds.includes(kind));
}
