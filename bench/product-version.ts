import { readFile } from "node:fs/promises";

/** Of the runway in this checkout, as its control plane and its nodes tell each other. */
export async function readProductVersion(): Promise<string> {
  const text = await readFile(new URL("../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}
