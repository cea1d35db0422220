import { RunwayError } from "../core/failure.ts";
import type { ConfigurationDesk } from "./configuration-desk.ts";

/** Names a version for `ETag` and `If-Match`; with a piece of the epoch, so that another store's version 7 is another thing. */
export function entityTag({ version, epoch }: { readonly version: number; readonly epoch: string }): string {
  return `"${version}-${epoch.slice(0, 8)}"`;
}

/**
 * The version on which a change with this `If-Match` depends; undefined when it depends on none (RFC 9110 §13.1.1).
 * @throws RunwayError versionConflict
 */
export async function expectedVersion(
  ifMatch: string | string[] | undefined,
  desk: ConfigurationDesk,
): Promise<number | undefined> {
  if (ifMatch === undefined) return undefined;
  const wanted = String(ifMatch)
    .split(",")
    .map((tag) => tag.trim());
  if (wanted.includes("*")) return undefined;
  const current = await desk.head();
  if (wanted.includes(entityTag(current))) return current.version;
  throw new RunwayError(
    "versionConflict",
    `The current version is ${entityTag(current)} and If-Match asks for ${ifMatch}. Read it again, redo the change, push again.`,
  );
}
