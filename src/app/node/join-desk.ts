import { createHash, randomUUID } from "node:crypto";
import type { JoiningView } from "../../admin/joining-view.ts";
import { hashJoinSecret } from "../../config/join-token.ts";
import type { JoinTokenStore } from "../../config/join-token-store.ts";
import { RunwayError } from "../../core/failure.ts";
import type { Logger } from "../../core/ports.ts";
import { isNodeId } from "../../sync/hello-check.ts";
import type { JoinDoor } from "../../sync/join/join-acceptor.ts";
import type { IssuedCertificate, JoinQuestion } from "../../sync/join/protocol.ts";
import type { NodeAuthority } from "../pki/node-authority.ts";

export interface JoinDeskOptions {
  readonly tokens: JoinTokenStore;
  readonly authority: NodeAuthority;
  /** Whether a node already has the id. */
  readonly isTaken: (nodeId: string) => boolean;
  readonly revokedAt: (nodeId: string) => number | undefined;
  readonly logger: Logger;
}

/** Gives certificates to nodes: to new ones for a token, to those that are in for the asking. */
export class JoinDesk implements JoinDoor, JoiningView {
  readonly #options: JoinDeskOptions;

  constructor(options: JoinDeskOptions) {
    this.#options = options;
  }

  authorities(): Promise<string> {
    return this.#options.authority.authorities();
  }

  fingerprint(): Promise<string> {
    return this.#options.authority.fingerprint();
  }

  async join({ token, node_id: nodeId, request }: JoinQuestion, address: string): Promise<IssuedCertificate> {
    const { tokens, isTaken, revokedAt, logger } = this.#options;
    if (nodeId !== undefined && !isNodeId(nodeId))
      throw new RunwayError("joinRefused", `${JSON.stringify(nodeId)} is not a node id`);
    const { requestedKey } = await import("../pki/certificate-request.ts");
    const publicKey = await requestedKey(request);
    const spki = publicKey.export({ type: "spki", format: "der" });
    const verdict = await tokens.use({
      ...{ secretHash: hashJoinSecret(token), nodeId, freshId: randomUUID(), isTaken, revokedAt },
      keyFingerprint: createHash("sha256").update(spki).digest("hex"),
    });
    if (!verdict.allowed) throw new RunwayError("joinRefused", verdict.detail);
    const issued = await this.#issue(verdict.nodeId, publicKey);
    logger.info("A node was given its first certificate", { nodeId: verdict.nodeId, address });
    return issued;
  }

  async #issue(
    nodeId: string,
    publicKey: Parameters<NodeAuthority["certify"]>[0]["publicKey"],
  ): Promise<IssuedCertificate> {
    const { authority, revokedAt } = this.#options;
    const certificate = await authority.certify({ nodeId, publicKey, revokedAtMs: revokedAt(nodeId) });
    return { node_id: nodeId, certificate, authorities: await authority.authorities() };
  }
}
