import { errors, type JWTPayload, jwtVerify } from "jose";
import { z } from "zod";
import {
  type Answer,
  definePlugin,
  duration,
  hasNoLogin,
  headerName,
  type Identity,
  type PluginHost,
  type RequestContext,
  refuse,
  secret,
} from "../../sdk/index.ts";
import { consumerKeys } from "./consumer-keys.ts";
import { ALGORITHMS, isSymmetric, type KeySource, publicKey, secretKey, usualAlgorithms } from "./key-source.ts";
import { KeysUnavailable, RemoteKeys } from "./remote-keys.ts";

/** A token is read before it is believed, so it must not be able to cost much. */
const MAX_TOKEN_LENGTH = 8_192;
const MIN_SECRET_BYTES = 32;
const CHALLENGE = 'Bearer realm="gateway"';

const token = z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, "must be an HTTP token");
/** Its value is known only where it is used. */
const isReference = (text: string) => /^\$\{(?:env|file):.+\}$/.test(text);

const keys = {
  secret: secret(
    z
      .string()
      .refine(
        (text) => isReference(text) || Buffer.byteLength(text) >= MIN_SECRET_BYTES,
        `must have ${MIN_SECRET_BYTES} bytes or more (RFC 7518 §3.2)`,
      ),
  )
    .optional()
    .describe("The secret that tokens are signed with; better a reference such as ${env:JWT_SECRET}."),
  public_key: z
    .string()
    .refine((text) => isReference(text) || isPublicKey(text), "must be a public key in PEM")
    .optional()
    .describe("The public key that tokens are verified with, PEM."),
};

const config = z
  .strictObject({
    ...keys,
    jwks_url: z
      .url({ protocol: /^https?$/ })
      .refine(isSafe, "must be https, or http on this machine")
      .refine(hasNoLogin, "must have no user and password, which would be seen wherever the address is")
      .optional()
      .describe("Where the issuer publishes its public keys."),
    consumer_keys: z
      .boolean()
      .default(false)
      .describe(
        "Whether each consumer has a key of its own, under `consumers.NAME.jwt`: the token says whose it is, and is verified with that one's key.",
      ),
    jwks_refresh_interval: duration.prefault("1h").describe("After which published keys are fetched again."),
    algorithms: z
      .array(z.enum(ALGORITHMS))
      .min(1)
      .optional()
      .describe(
        "Algorithms that are accepted. HS256 with a secret, and otherwise RS256, ES256 and EdDSA when not given.",
      ),
    issuer: z.string().min(1).optional().describe("Who has to have issued the token (`iss`)."),
    audience: z
      .array(z.string().min(1))
      .default([])
      .describe("Whom the token has to be meant for, one of them (`aud`); none means anybody."),
    leeway: duration.prefault("30s").describe("By how much clocks may differ."),
    require_expiry: z.boolean().default(true).describe("Whether a token without an end (`exp`) is refused."),
    id_claim: z.string().min(1).default("sub").describe("The claim that says who the client is."),
    require_consumer: z.boolean().default(false).describe("Whether only consumers of the configuration are let in."),
    cookie: token.optional().describe("A cookie that may hold the token too, where there is no Authorization header."),
    hide_credentials: z
      .boolean()
      .default(true)
      .describe(
        "Whether the token is kept from the upstream, which could come with it to the gateway as the client. An upstream that reads the token itself needs false; for one that only asks who it is, there is claim_headers.",
      ),
    claim_headers: z
      .record(headerName, z.string().min(1))
      .default({})
      .describe(
        "Request headers that the upstream gets, each with the claim that it holds. Those of the client never reach it.",
      ),
  })
  .refine(
    ({ secret, public_key, jwks_url, consumer_keys }) =>
      [secret, public_key, jwks_url, consumer_keys || undefined].filter((key) => key !== undefined).length === 1,
    "needs exactly one of secret, public_key, jwks_url and consumer_keys",
  )
  .refine(({ consumer_keys, algorithms }) => !consumer_keys || algorithms === undefined, {
    error: "are those of the consumers, with consumer_keys",
    path: ["algorithms"],
  })
  .refine(
    ({ secret, algorithms = [] }) => algorithms.every((algorithm) => isSymmetric(algorithm) === (secret !== undefined)),
    {
      error:
        "a secret goes with HS256, HS384 and HS512, and public keys with the others: a mixture would let a public key pass for a secret",
      path: ["algorithms"],
    },
  )
  .describe("Lets in who brings a JSON Web Token (RFC 7519) in the Authorization header.");

type Config = z.output<typeof config>;

export const jwt = definePlugin({
  name: "jwt",
  config,
  authenticates: true,
  credentials: {
    config: z
      .strictObject({
        id: z.string().min(1).describe("What tokens of this consumer hold in the claim that says who the client is."),
        ...keys,
        algorithm: z
          .enum(ALGORITHMS)
          .optional()
          .describe(
            "How its tokens are signed. HS256 with a secret, and otherwise RS256, ES256 or EdDSA when not given.",
          ),
      })
      .refine(({ secret, public_key }) => secret === undefined || public_key === undefined, {
        error: "and secret exclude each other",
        path: ["public_key"],
      })
      .refine(({ secret, algorithm }) => algorithm === undefined || isSymmetric(algorithm) === (secret !== undefined), {
        error: "a secret goes with HS256, HS384 and HS512, and a public key with the others",
        path: ["algorithm"],
      }),
    keysOf: ({ id }) => ({ id: String(id) }),
  },
  create(settings, host) {
    const verify = verifier(settings, host);
    const claimHeaders = Object.entries(settings.claim_headers);
    return {
      challenge: CHALLENGE,
      async authenticate(request) {
        for (const [name] of claimHeaders) request.headers.remove(name);
        const presented = presentedToken(request, settings.cookie);
        if (presented === undefined) return undefined;
        try {
          const claims = await verify(presented);
          for (const [name, claim] of claimHeaders) setClaim(request, name, claims[claim]);
          if (settings.hide_credentials) hideToken(request, settings.cookie);
          return identityOf(claims, settings, host);
        } catch (error) {
          return refusal(error, host);
        }
      },
    };
  },
});

function verifier(settings: Config, host: PluginHost): (presented: string) => Promise<JWTPayload> {
  const find = keySource(settings, host);
  const { issuer, audience, require_expiry, leeway, id_claim } = settings;
  const known = settings.consumer_keys ? ALGORITHMS : usualAlgorithms(settings.secret !== undefined);
  const options = {
    algorithms: [...(settings.algorithms ?? known)],
    clockTolerance: Math.round(leeway / 1_000),
    requiredClaims: [id_claim, ...(require_expiry ? ["exp"] : [])],
    ...(issuer === undefined ? {} : { issuer }),
    ...(audience.length === 0 ? {} : { audience }),
  };
  return async (presented) => {
    if (presented.length > MAX_TOKEN_LENGTH) throw new errors.JWTInvalid("the token is too long");
    const { payload } = await jwtVerify(presented, find, { ...options, currentDate: new Date(host.clock.now()) });
    return payload;
  };
}

function keySource(settings: Config, host: PluginHost): KeySource {
  const { secret, public_key, jwks_url, jwks_refresh_interval, consumer_keys, id_claim } = settings;
  if (consumer_keys) return consumerKeys(id_claim, host);
  if (jwks_url !== undefined) return new RemoteKeys({ url: jwks_url, refreshMs: jwks_refresh_interval, host }).find;
  const key = secret === undefined ? publicKey(public_key!) : secretKey(secret);
  return async () => key;
}

/** Undefined where the client brings no token, perhaps another proof for another plugin. */
function presentedToken(request: RequestContext, cookie: string | undefined): string | undefined {
  const authorization = request.headers.get("authorization");
  if (authorization === undefined) return cookie === undefined ? undefined : request.cookie(cookie);
  return /^Bearer +(\S+)$/i.exec(authorization)?.[1];
}

/** Wherever one stood: a second one in the cookie is no less a token. */
function hideToken(request: RequestContext, cookie: string | undefined): void {
  request.headers.remove("Authorization");
  if (cookie !== undefined && request.cookie(cookie) !== undefined) request.removeCookie(cookie);
}

function identityOf(claims: JWTPayload, { id_claim, require_consumer }: Config, host: PluginHost): Identity | Answer {
  const id = claims[id_claim];
  if (typeof id !== "string" || id === "") return refused(host, "invalid_token");
  const consumer = host.consumerByKey(id);
  if (consumer === undefined && require_consumer) return refused(host, "unknown_consumer");
  host.count("accepted");
  return { id: consumer?.id ?? id, claims };
}

function setClaim({ headers }: RequestContext, name: string, claim: unknown): void {
  if (typeof claim === "string" || typeof claim === "number" || typeof claim === "boolean")
    headers.set(name, encodeURI(String(claim)));
  else if (claim !== undefined) headers.set(name, Buffer.from(JSON.stringify(claim)).toString("base64url"));
}

/** The client is told that its token will not do, and never why: that would help only who makes tokens up. */
function refusal(error: unknown, host: PluginHost): Answer {
  if (error instanceof KeysUnavailable) return refuse("authorizationUnavailable");
  if (!(error instanceof errors.JOSEError)) throw error;
  return refused(host, error.code === "ERR_JWT_EXPIRED" ? "expired_token" : "invalid_token");
}

function refused(host: PluginHost, event: string): Answer {
  host.count(event);
  return refuse("consumerUnknown", { headers: { "WWW-Authenticate": `${CHALLENGE}, error="invalid_token"` } });
}

function isPublicKey(text: string): boolean {
  try {
    publicKey(text);
    return !text.includes("PRIVATE KEY");
  } catch {
    return false;
  }
}

function isSafe(text: string): boolean {
  const { protocol, hostname } = new URL(text);
  return protocol === "https:" || ["localhost", "127.0.0.1", "[::1]"].includes(hostname);
}
