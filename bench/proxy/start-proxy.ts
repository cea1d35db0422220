import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { freePort } from "../../test/support/free-port.ts";
import { ask } from "../ask.ts";
import { MEASURED_CORE } from "../cores.ts";
import { PinnedProcess } from "../pinned-process.ts";
import type { RunningProxy, Setting } from "./subject.ts";

export interface ProxyProgram {
  readonly program: string;
  readonly fileName: string;
  configuration(port: number): string;
  args(configurationPath: string): readonly string[];
  /** The origin runs on the core of the load. */
  readonly core?: number;
}

/** Writes the configuration, starts the program and waits until its port answers HTTP. */
export async function startProxy(
  { program, fileName, configuration, args, core = MEASURED_CORE }: ProxyProgram,
  { folder, signal, tls }: Pick<Setting, "folder" | "signal"> & Partial<Pick<Setting, "tls">>,
): Promise<RunningProxy> {
  const port = await freePort();
  const url = `${tls === undefined ? "http" : "https"}://127.0.0.1:${port}`;
  const path = join(folder, fileName);
  await writeFile(path, configuration(port));
  const running = await PinnedProcess.start(core, program, args(path));
  try {
    await running.ready(async () => (await ask(`${url}/`, { signal })).status === 200, signal);
  } catch (error) {
    await running[Symbol.asyncDispose]();
    throw error;
  }
  return {
    port,
    url,
    usage: () => running.usage(),
    [Symbol.asyncDispose]: () => running[Symbol.asyncDispose](),
  };
}
