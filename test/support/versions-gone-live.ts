import assert from "node:assert/strict";
import type { Member } from "./cluster.ts";

/** The versions that a node ran, in their order, by its own log. */
export function versionsGoneLive({ process }: Member): number[] {
  return process.lines.filter(({ msg }) => msg === "A configuration went live").map(({ version }) => Number(version));
}

/** That a node never ran a version that is lower than one it ran before. */
export function assertNeverWentBack(member: Member): void {
  const versions = versionsGoneLive(member);
  for (const [index, version] of versions.entries())
    assert.ok(index === 0 || version >= versions[index - 1]!, `${member.name}: ${versions.join(", ")}`);
}
