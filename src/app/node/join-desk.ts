import { createHash, randomUUID, X509Certificate } from "node:crypto";
import type { JoiningView } from "../../admin/joining-view.ts";
import { hashJoinSecret } from "../../config/join-token.ts";
import type { JoinTokenStore } from "../../config/join-token-store.ts";
import { RunwayError } from "../../core/failure.ts";
import type { Logger } from "../../core/ports.ts";
import type { CallingNode, FleetMethod } from "../../sync/fleet-stream.ts";
import { isNodeId } from "../../sync/hello-check.ts";
import type { JoinDoor } from "../../sync/join/join-acceptor.ts";
import { type IssuedCertificate, type JoinQuestion, RENEW_METHOD } from "../../sync/join/protocol.ts";
import { readPeerCertificate } from "../../sync/peer-certificate.ts";
import { RPC_ERRORS } from "../../sync/rpc/json-rpc.ts";
import { RpcFailure } from "../../sync/rpc/rpc-failure.ts";
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

  /** @throws RunwayError joinRefused */
  async renew(node: CallingNode, request: string): Promise<IssuedCertificate> {
    const { requestedKey } = await import("../pki/certificate-request.ts");
    const issued = await this.#issue(node.nodeId, await requestedKey(request));
    node.renewed(readPeerCertificate(new X509Certificate(issued.certificate)));
    this.#options.logger.info("A node's certificate was renewed", { nodeId: node.nodeId });
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

/** What nodes may ask of it over their streams. */
export function identityMethods(desk: JoinDesk | undefined): Record<string, FleetMethod> {
  if (desk === undefined) return {};
  return {
    [RENEW_METHOD]({ request }, _signal, node) {
      if (typeof request !== "string")
        throw new RpcFailure({ ...RPC_ERRORS.invalidParams, data: "request is missing" });
      return desk.renew(node, request);
    },
  };
}
