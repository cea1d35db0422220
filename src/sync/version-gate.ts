/** How much older than the control plane's program that of a node may be: in its patch version alone, or in its minor version too. */
export type Compatibility = "patch" | "minor";

/**
 * What is wrong with the versions of two programs, in the exact sentence that operators and original data planes know; undefined
 * when they fit. They do when their major and minor versions are the same text, a leading `v` aside. A version without a dot is
 * compared as a whole, so that two development builds fit each other. Where minor versions may differ, the node's is the older one.
 */
export function describeMismatch(
  controlPlane: string,
  dataPlane: string,
  compatibility: Compatibility = "patch",
): string | undefined {
  const [own, other] = [majorMinor(controlPlane), majorMinor(dataPlane)];
  if (own === other) return undefined;
  const [ownMajor, ownMinor] = own.split(".");
  const [otherMajor, otherMinor] = other.split(".");
  const what = `version mismatch: CP=${controlPlane} DP=${dataPlane}`;
  if (compatibility === "patch") return `${what} (major.minor must match)`;
  if (ownMajor !== otherMajor || ownMinor === undefined) return `${what} (major must match)`;
  return Number(otherMinor) < Number(ownMinor) ? undefined : `${what} (a data plane must not be newer)`;
}

export function majorMinor(version: string): string {
  const plain = version.startsWith("v") ? version.slice(1) : version;
  const [major, minor] = plain.split(".");
  return minor === undefined ? plain : `${major}.${minor}`;
}
