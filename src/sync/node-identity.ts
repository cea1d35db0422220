import type { PeerCertificate } from "./connection.ts";
import type { Refusal } from "./fleet-state.ts";

/** Who owns which node id. Claims outlive the control plane. Bounded by the number of nodes that a fleet remembers. */
export interface IdentityLedger {
  /** As `claim` was given it. */
  ownerOf(nodeId: string): string | undefined;
  claim(nodeId: string, owner: string): void;
  forget(nodeId: string): void;
  nodeIds(): readonly string[];
}

export type Verdict =
  | { readonly allowed: true; readonly owner: string }
  /** `detail` is for the node's operator. */
  | ({ readonly allowed: false } & Refusal);

const NODE_NAME = /^spiffe:\/\/([^/]+)\/node\/([^/]+)$/;

/**
 * Whether a certificate, already verified against the CA, may speak for a node. One that carries the URI name
 * `spiffe://<trust domain>/node/<id>` speaks for that id alone, whoever had the id before. One without any SPIFFE name
 * owns each id that its key was the first to claim.
 *
 * @param owner of the id so far
 * @param trustDomain the only one accepted; undefined accepts any that the CA signed for
 */
export function judgeClaim(
  nodeId: string,
  certificate: PeerCertificate,
  owner: string | undefined,
  trustDomain: string | undefined,
): Verdict {
  const names = certificate.uriNames.filter((name) => name.startsWith("spiffe://"));
  return names.length > 0
    ? judgeNames(nodeId, names, trustDomain)
    : judgeKey(nodeId, `sha256:${certificate.keyFingerprint}`, owner);
}

function judgeNames(nodeId: string, names: readonly string[], trustDomain: string | undefined): Verdict {
  const match = names.find((name) => {
    const [, domain, id] = NODE_NAME.exec(name) ?? [];
    return id === nodeId && (trustDomain === undefined || domain === trustDomain);
  });
  if (match !== undefined) return { allowed: true, owner: match };
  return {
    allowed: false,
    kind: "identityRefused",
    detail: `the certificate speaks for ${names.join(", ")}, not for node ${nodeId}`,
  };
}

function judgeKey(nodeId: string, key: string, owner: string | undefined): Verdict {
  if (owner === undefined || owner === key) return { allowed: true, owner: key };
  return {
    allowed: false,
    kind: "identityRefused",
    detail: `node ${nodeId} belongs to another certificate; forget the node at the control plane to free its id`,
  };
}

/** Claims that live as long as the process. */
export class MemoryIdentityLedger implements IdentityLedger {
  readonly #owners: Map<string, string>;

  constructor(owners: Iterable<readonly [string, string]> = []) {
    this.#owners = new Map(owners);
  }

  ownerOf(nodeId: string): string | undefined {
    return this.#owners.get(nodeId);
  }

  claim(nodeId: string, owner: string): void {
    this.#owners.set(nodeId, owner);
  }

  forget(nodeId: string): void {
    this.#owners.delete(nodeId);
  }

  nodeIds(): readonly string[] {
    return [...this.#owners.keys()];
  }
}
