import assert from "node:assert/strict";
import type { Member } from "./cluster.ts";

/** The versions that a node ran, in their order, by its own log. */
function versionsGoneLive({ process }: Member): number[] {
  return process.lines.filter(({ msg }) => msg === "A configuration went live").map(({ version }) => Number(version));
}

/** Whether a node never ran a version that is lower than one it ran before. */
export function neverWentBack(member: Member): boolean {
  const versions = versionsGoneLive(member);
  return versions.every((version, index) => index === 0 || version >= versions[index - 1]!);
}

export function assertNeverWentBack(member: Member): void {
  assert.ok(neverWentBack(member), `${member.name}: ${versionsGoneLive(member).join(", ")}`);
}
