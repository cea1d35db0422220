import type { NodeSettings, Role } from "./node-settings.ts";
import type { Problem } from "./problem.ts";
import type { DocumentEntry } from "./split-document.ts";

/** What a cluster role needs before it can start, in the words of the cluster page. */
export function* checkRole({ cluster, workers }: NodeSettings): Generator<Problem> {
  if (workers === 0 && cluster.role !== "control_plane")
    yield { path: "workers", message: "may be 0 only on a control plane; this node would serve nothing" };
  if (cluster.role === "control_plane") {
    const { address, tls } = cluster.control_plane;
    const path = "cluster.control_plane";
    if (address === "") yield problem(`${path}.address`, "is required for control_plane role");
    yield* checkTls(path, tls);
    if (tls.client_ca_file === "")
      yield problem(`${path}.tls.client_ca_file`, "is required to verify data plane certificates");
    const { ca } = cluster.control_plane;
    if ((ca.cert_file === "") !== (ca.key_file === ""))
      yield problem(`${path}.ca`, "needs both cert_file and key_file");
  }
  if (cluster.role === "data_plane") {
    const { address, tls } = cluster.data_plane;
    const path = "cluster.data_plane";
    if (address.length === 0) yield problem(`${path}.address`, "is required for data_plane role");
    yield* checkTls(path, tls);
    if (tls.ca_file === "") yield problem(`${path}.tls.ca_file`, "is required to verify control plane certificate");
    if (tls.renew && tls.cert_file !== tls.key_file)
      yield problem(`${path}.tls.renew`, "needs cert_file and key_file to be one file, as `runway join` makes it");
  }
}

function* checkTls(
  path: string,
  tls: { readonly enabled: boolean; readonly cert_file: string; readonly key_file: string },
): Generator<Problem> {
  if (!tls.enabled) yield problem(`${path}.tls.enabled`, "must be true (mTLS required)");
  if (tls.cert_file === "" || tls.key_file === "") yield problem(`${path}.tls`, "requires cert_file and key_file");
}

/**
 * A data plane's file says what is the node's own: cluster, admin, workers, listeners, logging. Anything else would look
 * as if it had an effect, and the control plane's would silently win.
 */
export function* checkForeignEntries(role: Role, entries: readonly DocumentEntry[]): Generator<Problem> {
  if (role !== "data_plane") return;
  const told = new Set<string>();
  for (const { kind, id } of entries) {
    const key = kind === "settings" ? id : `${kind}s`;
    if (kind === "listener" || key === "logging" || told.has(key)) continue;
    told.add(key);
    yield {
      path: key,
      message: `a data plane gets ${key} from the control plane; remove this here and write it there`,
    };
  }
}

/** The message begins with the path, as the page has it. */
function problem(path: string, rest: string): Problem {
  return { path, message: `${path} ${rest}` };
}
