/**
 * Two programs fit when their major and minor versions are the same text. A leading `v` does not count, and a version
 * without a dot is compared as a whole, so that two development builds fit each other.
 */
export function versionsFit(one: string, other: string): boolean {
  return majorMinor(one) === majorMinor(other);
}

export function majorMinor(version: string): string {
  const plain = version.startsWith("v") ? version.slice(1) : version;
  const [major, minor] = plain.split(".");
  return minor === undefined ? plain : `${major}.${minor}`;
}

/** The exact sentence that operators and original data planes know. */
export function describeMismatch(controlPlane: string, dataPlane: string): string {
  return `version mismatch: CP=${controlPlane} DP=${dataPlane} (major.minor must match)`;
}
