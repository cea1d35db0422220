import { z } from "zod";

/**
 * How a node that has no certificate gets one: HTTP/1.1 over TLS with this protocol agreed on by ALPN, at the port where data planes
 * connect. The first question is asked without trust, to be told the authorities, of which the token knows one; the second, which
 * holds the token, only of a server whose certificate that one signed.
 */
export const JOIN_PROTOCOL = "runway-join/1";
export const AUTHORITIES_PATH = "/v1/authorities";
export const JOIN_PATH = "/v1/join";

/** What a node that is in asks over its stream: `{request}`, answered as a join is. */
export const RENEW_METHOD = "runway.identity.v1.renew";

/** More than either side has to say. */
export const MAX_JOIN_BYTES = 262_144;
export const JOIN_LIMIT_MS = 10_000;

export const JoinQuestion = z.strictObject({
  token: z.string().max(256),
  node_id: z.string().max(128).optional(),
  /** PKCS #10, PEM. Its key alone is looked at. */
  request: z.string().max(16_384),
});
export type JoinQuestion = z.output<typeof JoinQuestion>;

export const IssuedCertificate = z.object({
  node_id: z.string(),
  /** PEM. */
  certificate: z.string(),
  /** Whom the node is to trust, PEM, one or more. */
  authorities: z.string(),
});
export type IssuedCertificate = z.output<typeof IssuedCertificate>;

export const Authorities = z.object({ authorities: z.string() });
export const JoinFailure = z.object({ code: z.string(), detail: z.string() });
