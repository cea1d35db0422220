import type { Revocation, RevokedKind } from "../config/revocation-list.ts";
import type { PeerCertificate } from "./connection.ts";

/** What was revoked, as it is looked up for each node that comes. */
export class RevokedCertificates {
  #byName: ReadonlyMap<string, Revocation> = new Map();

  replace(revocations: readonly Revocation[]): void {
    this.#byName = new Map(revocations.map((revocation) => [nameOf(revocation.kind, revocation.value), revocation]));
  }

  /** Why a certificate may not speak for the node, as a sentence for the node's operator; undefined when it may. */
  faultOf(nodeId: string, { serialNumber, fingerprint, notBeforeMs }: PeerCertificate): string | undefined {
    const own = this.#find("fingerprint", fingerprint) ?? this.#find("serial", serialNumber);
    if (own !== undefined) return `its certificate was revoked at ${timeOf(own)}${because(own)}`;
    const node = this.#find("node", nodeId);
    if (node === undefined || notBeforeMs > node.revokedAt) return undefined;
    return `node ${nodeId} was revoked at ${timeOf(node)}${because(node)}; only a certificate that begins later is accepted`;
  }

  /** When the node was revoked, in milliseconds since 1970. */
  nodeRevokedAt(nodeId: string): number | undefined {
    return this.#find("node", nodeId)?.revokedAt;
  }

  #find(kind: RevokedKind, value: string): Revocation | undefined {
    return this.#byName.get(nameOf(kind, value));
  }
}

function nameOf(kind: RevokedKind, value: string): string {
  return `${kind} ${value}`;
}

function timeOf({ revokedAt }: Revocation): string {
  return new Date(revokedAt).toISOString();
}

function because({ reason }: Revocation): string {
  return reason === "" ? "" : ` (${reason})`;
}
