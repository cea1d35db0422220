import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** Why a test that asks another program has to be skipped, or false when the program is there. For the `skip` of a test. */
export function missing(program: string): string | false {
  const directories = (process.env.PATH ?? "").split(delimiter);
  return directories.some((directory) => isExecutable(join(directory, program)))
    ? false
    : `${program} is not installed on this machine`;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
