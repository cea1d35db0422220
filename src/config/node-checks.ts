import { isIPv4, isIPv6 } from "node:net";
import { addressesConflict } from "./checks/listener-addresses.ts";
import type { NodeSettings } from "./node-settings.ts";
import type { Problem } from "./problem.ts";
import { joinPath } from "./problem-path.ts";
import type { DocumentEntry } from "./split-document.ts";

/** The admin API asks nobody who they are, so it stays on loopback unless the file says in words that it need not. */
export function* checkAdminExposure({ admin }: Pick<NodeSettings, "admin">): Generator<Problem> {
  if (!admin.enabled || admin.allow_unauthenticated || isLoopback(admin.address)) return;
  const message =
    `${admin.address} can be reached from other machines, and the admin API asks nobody who they are; ` +
    "keep 127.0.0.1, or set admin.allow_unauthenticated: true if the network is yours alone";
  yield { path: "admin.address", message };
}

/** The node does not want one port for two things. */
export function* checkOwnPorts(
  { admin, cluster }: NodeSettings,
  entries: readonly DocumentEntry[],
): Generator<Problem> {
  const taken: { readonly path: string; readonly address: string }[] = [];
  const want = [
    ...entries
      .filter(({ kind }) => kind === "listener")
      .map(({ path, spec }) => ({ path: joinPath(path, "address"), address: String(spec.address) })),
    ...(cluster.role === "control_plane"
      ? [{ path: "cluster.control_plane.address", address: cluster.control_plane.address }]
      : []),
    ...(admin.enabled ? [{ path: "admin.port", address: addressOf(admin) }] : []),
  ];
  for (const { path, address } of want) {
    const other = taken.find((earlier) => addressesConflict(earlier.address, address));
    // Listeners among themselves are compared by the check of the configuration.
    if (other !== undefined && !path.startsWith("listeners"))
      yield { path, message: `${address} is taken by ${other.path}` };
    taken.push({ path, address });
  }
}

function addressOf({ address, port }: NodeSettings["admin"]): string {
  return isIPv6(address) ? `[${address}]:${port}` : `${address}:${port}`;
}

function isLoopback(address: string): boolean {
  return address === "localhost" || address === "::1" || (isIPv4(address) && address.startsWith("127."));
}
