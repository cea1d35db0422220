import { isIPv4, isIPv6 } from "node:net";
import { addressesConflict } from "./checks/listener-addresses.ts";
import type { NodeSettings } from "./node-settings.ts";
import type { Problem } from "./problem.ts";
import { joinPath } from "./problem-path.ts";
import type { DocumentEntry } from "./split-document.ts";

/**
 * The admin API stays on loopback unless it asks callers who they are, over TLS, or the file says in words that it need not.
 * Where it asks, there has to be somebody whom it would let in.
 */
export function* checkAdminAccess({ admin, cluster }: Pick<NodeSettings, "admin" | "cluster">): Generator<Problem> {
  if (!admin.enabled) return;
  const { address, tls } = admin;
  if ((tls.cert_file === "") !== (tls.key_file === ""))
    yield { path: "admin.tls", message: "needs both cert_file and key_file" };
  const namesClients = Object.keys(tls.roles).length > 0;
  if (namesClients !== (tls.client_ca_file !== "") || (namesClients && tls.cert_file === ""))
    yield { path: "admin.tls.roles", message: "needs cert_file, key_file and client_ca_file, and they need it" };
  if (isOpen(admin)) return;
  if (!isLoopback(address) && tls.cert_file === "" && !admin.allow_plaintext)
    yield { path: "admin.address", message: `${address} can be reached from other machines, ${CLEAR_TEXT}` };
  if (cluster.role !== "control_plane" && admin.tokens_file === "" && !namesClients)
    yield { path: "admin", message: NOBODY };
}

/** Whether the admin API asks nobody who they are. */
export function isOpen(admin: NodeSettings["admin"]): boolean {
  return isLoopback(admin.address) ? !admin.require_authentication : admin.allow_unauthenticated;
}

const CLEAR_TEXT =
  "and tokens would travel in clear text; keep 127.0.0.1, set admin.tls, or admin.allow_plaintext: true behind a proxy " +
  "that speaks TLS, or admin.allow_unauthenticated: true if the network is yours alone";
const NOBODY =
  "asks callers who they are and would let nobody in; name admin.tokens_file (`runway token create --file` makes one) " +
  "or admin.tls.client_ca_file and admin.tls.roles";

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
