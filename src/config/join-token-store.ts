/** A join token as it is kept: the secret itself is not. */
export interface JoinToken {
  /** By which people speak of it. */
  readonly id: string;
  /** See hashJoinSecret. */
  readonly secretHash: string;
  /** The only node that may join with it; undefined for any that is new. */
  readonly nodeId?: string;
  /** Times are milliseconds since 1970. */
  readonly createdAt: number;
  readonly createdBy: string;
  readonly expiresAt: number;
  /** What became of it; undefined while it can be used. */
  readonly use?: JoinUse;
}

export interface JoinUse {
  readonly nodeId: string;
  /** SHA-256 of the public key (DER, SubjectPublicKeyInfo), hexadecimal. */
  readonly keyFingerprint: string;
  readonly at: number;
}

/** A node that shows a token. */
export interface JoinRequest {
  readonly secretHash: string;
  /** The id that it wants; undefined for whatever it is given. */
  readonly nodeId: string | undefined;
  /** The id that it gets when nobody wants one. */
  readonly freshId: string;
  readonly keyFingerprint: string;
  /** Whether a node already has the id: from other joins the store knows by itself. */
  isTaken(nodeId: string): boolean;
  /** When the node was revoked, if it was. */
  revokedAt(nodeId: string): number | undefined;
}

export type JoinVerdict =
  | { readonly allowed: true; readonly nodeId: string }
  /** `detail` is for the node's operator. */
  | { readonly allowed: false; readonly detail: string };

/**
 * The port to join tokens. A token is used by one key: the first that shows it, whichever control plane it asks; the same key may ask
 * again, since an answer can be lost. Making, using and revoking have their entries in the audit log, in the same transaction.
 * A token stays listed for a month after its end.
 */
export interface JoinTokenStore {
  /** @throws RunwayError `overloaded` when there are as many as are kept */
  add(token: JoinToken): Promise<void>;
  /** Newest first. */
  list(): Promise<readonly JoinToken[]>;
  use(request: JoinRequest): Promise<JoinVerdict>;
  /** Answers whether there was one of this id; it is gone then. */
  revoke(id: string, by: string): Promise<boolean>;
}

export const MAX_JOIN_TOKENS = 10_000;
export const JOIN_TOKEN_MEMORY_MS = 30 * 86_400_000;

/**
 * Whether a token lets a node in, and by which id.
 * @param isTaken whether another key joined by this id, or a node has it already
 */
export function judgeJoin(
  token: JoinToken | undefined,
  request: JoinRequest,
  nowMs: number,
  isTaken: (nodeId: string) => boolean,
): JoinVerdict {
  if (token === undefined) return refused("the token is not known to this control plane");
  if (token.expiresAt <= nowMs) return refused(`the token has expired at ${new Date(token.expiresAt).toISOString()}`);
  const { use } = token;
  if (use !== undefined && use.keyFingerprint !== request.keyFingerprint)
    return refused(`the token was used at ${new Date(use.at).toISOString()}, by node ${use.nodeId}`);
  const nodeId = use?.nodeId ?? token.nodeId ?? request.nodeId ?? request.freshId;
  if (request.nodeId !== undefined && request.nodeId !== nodeId)
    return refused(`the token is for node ${nodeId}, not for ${request.nodeId}`);
  const revokedAt = request.revokedAt(nodeId);
  if (revokedAt !== undefined && token.createdAt <= revokedAt)
    return refused(`node ${nodeId} was revoked after the token was made`);
  if (use === undefined && token.nodeId === undefined && isTaken(nodeId))
    return refused(
      `node ${nodeId} exists already; only a token that was made for it lets another machine take its place`,
    );
  return { allowed: true, nodeId };
}

function refused(detail: string): JoinVerdict {
  return { allowed: false, detail };
}
