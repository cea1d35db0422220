/**
 * Every way in which runway can fail, in one closed table. A failure has a stable code that never changes its meaning,
 * the HTTP status it becomes, the party that has to act, and whether the same request may be tried again.
 * Causes stay inside the process: only `code`, `message` and the request id are ever shown to a client.
 */
export const FAILURES = {
  // What a client of the proxy did.
  badRequest: {
    code: "RW_BAD_REQUEST",
    status: 400,
    fault: "client",
    retryable: false,
    message: "The request is not valid HTTP.",
  },
  routeNotFound: {
    code: "RW_ROUTE_NOT_FOUND",
    status: 404,
    fault: "client",
    retryable: false,
    message: "No route matches the request.",
  },
  methodNotAllowed: {
    code: "RW_METHOD_NOT_ALLOWED",
    status: 405,
    fault: "client",
    retryable: false,
    message: "The route does not answer this method.",
  },
  requestTimeout: {
    code: "RW_REQUEST_TIMEOUT",
    status: 408,
    fault: "client",
    retryable: true,
    message: "The request did not arrive in time.",
  },
  bodyTooLarge: {
    code: "RW_BODY_TOO_LARGE",
    status: 413,
    fault: "client",
    retryable: false,
    message: "The request body is larger than allowed.",
  },
  uriTooLong: {
    code: "RW_URI_TOO_LONG",
    status: 414,
    fault: "client",
    retryable: false,
    message: "The request target is longer than allowed.",
  },
  expectationFailed: {
    code: "RW_EXPECTATION_FAILED",
    status: 417,
    fault: "client",
    retryable: false,
    message: "The expectation in the Expect header is not known.",
  },
  headerTooLarge: {
    code: "RW_HEADER_TOO_LARGE",
    status: 431,
    fault: "client",
    retryable: false,
    message: "The request header is larger than allowed.",
  },
  methodNotImplemented: {
    code: "RW_METHOD_NOT_IMPLEMENTED",
    status: 501,
    fault: "client",
    retryable: false,
    message: "The method is not implemented.",
  },
  httpVersionNotSupported: {
    code: "RW_HTTP_VERSION_NOT_SUPPORTED",
    status: 505,
    fault: "client",
    retryable: false,
    message: "The HTTP version is not supported.",
  },
  clientClosed: {
    code: "RW_CLIENT_CLOSED",
    status: 499,
    fault: "client",
    retryable: false,
    message: "The client closed the connection.",
  },
  deadlineExceeded: {
    code: "RW_DEADLINE_EXCEEDED",
    status: 504,
    fault: "client",
    retryable: false,
    message: "The time that the client gave the call is over.",
  },
  consumerUnknown: {
    code: "RW_CONSUMER_UNKNOWN",
    status: 401,
    fault: "client",
    retryable: false,
    message: "The request does not say who sends it, or not credibly.",
  },
  accessDenied: {
    code: "RW_ACCESS_DENIED",
    status: 403,
    fault: "client",
    retryable: false,
    message: "The client may not do this.",
  },
  misdirected: {
    code: "RW_MISDIRECTED",
    status: 421,
    fault: "client",
    retryable: false,
    message: "The gateway does not answer for this host.",
  },
  rateLimited: {
    code: "RW_RATE_LIMITED",
    status: 429,
    fault: "client",
    retryable: true,
    message: "The client sends more requests than it may.",
  },
  // What an upstream did.
  upstreamRefused: {
    code: "RW_UPSTREAM_REFUSED",
    status: 502,
    fault: "upstream",
    retryable: true,
    message: "The upstream could not be reached.",
  },
  upstreamReset: {
    code: "RW_UPSTREAM_RESET",
    status: 502,
    fault: "upstream",
    retryable: true,
    message: "The upstream closed the connection before it answered.",
  },
  upstreamInvalid: {
    code: "RW_UPSTREAM_INVALID",
    status: 502,
    fault: "upstream",
    retryable: false,
    message: "The upstream's answer is not valid HTTP.",
  },
  upstreamTimeout: {
    code: "RW_UPSTREAM_TIMEOUT",
    status: 504,
    fault: "upstream",
    retryable: true,
    message: "The upstream did not answer in time.",
  },
  noTarget: {
    code: "RW_NO_TARGET",
    status: 503,
    fault: "upstream",
    retryable: true,
    message: "No target of the upstream can take the request.",
  },
  upstreamFull: {
    code: "RW_UPSTREAM_FULL",
    status: 503,
    fault: "upstream",
    retryable: true,
    message: "The targets of the upstream have as many requests as they may have.",
  },
  queueTimeout: {
    code: "RW_QUEUE_TIMEOUT",
    status: 503,
    fault: "upstream",
    retryable: true,
    message: "The request waited too long for a target.",
  },
  circuitOpen: {
    code: "RW_CIRCUIT_OPEN",
    status: 503,
    fault: "upstream",
    retryable: true,
    message: "The upstream failed too often and is spared for a while.",
  },
  // What the gateway itself is in.
  overloaded: {
    code: "RW_OVERLOADED",
    status: 503,
    fault: "gateway",
    retryable: true,
    message: "The gateway is at its limit.",
  },
  shuttingDown: {
    code: "RW_SHUTTING_DOWN",
    status: 503,
    fault: "gateway",
    retryable: true,
    message: "The gateway is shutting down.",
  },
  internal: { code: "RW_INTERNAL", status: 500, fault: "gateway", retryable: false, message: "The gateway failed." },
  authorizationUnavailable: {
    code: "RW_AUTHORIZATION_UNAVAILABLE",
    status: 503,
    fault: "operator",
    retryable: true,
    message: "Whether the request may pass cannot be found out now.",
  },
  pluginFailed: {
    code: "RW_PLUGIN_FAILED",
    status: 500,
    fault: "operator",
    retryable: false,
    message: "A plugin of the gateway failed.",
  },
  pluginTimeout: {
    code: "RW_PLUGIN_TIMEOUT",
    status: 500,
    fault: "operator",
    retryable: true,
    message: "A plugin of the gateway did not answer in time.",
  },
  // What an operator asked for.
  configurationInvalid: {
    code: "RW_CONFIGURATION_INVALID",
    status: 400,
    fault: "operator",
    retryable: false,
    message: "The configuration is not valid.",
  },
  configurationRefused: {
    code: "RW_CONFIGURATION_REFUSED",
    status: 422,
    fault: "operator",
    retryable: true,
    message: "The configuration could not be applied.",
  },
  versionConflict: {
    code: "RW_VERSION_CONFLICT",
    status: 412,
    fault: "operator",
    retryable: true,
    message: "The configuration has changed since it was read.",
  },
  unauthenticated: {
    code: "RW_UNAUTHENTICATED",
    status: 401,
    fault: "operator",
    retryable: false,
    message: "The caller has to say who it is.",
  },
  tooManyAttempts: {
    code: "RW_TOO_MANY_ATTEMPTS",
    status: 429,
    fault: "operator",
    retryable: true,
    message: "Too many attempts failed.",
  },
  forbidden: {
    code: "RW_FORBIDDEN",
    status: 403,
    fault: "operator",
    retryable: false,
    message: "This is not allowed here.",
  },
  notFound: {
    code: "RW_NOT_FOUND",
    status: 404,
    fault: "operator",
    retryable: false,
    message: "There is no such thing here.",
  },
  alreadyExists: {
    code: "RW_ALREADY_EXISTS",
    status: 409,
    fault: "operator",
    retryable: false,
    message: "There is one of this name already.",
  },
  nodeConnected: {
    code: "RW_NODE_CONNECTED",
    status: 409,
    fault: "operator",
    retryable: true,
    message: "The node is connected.",
  },
  nodeNotConnected: {
    code: "RW_NODE_NOT_CONNECTED",
    status: 409,
    fault: "operator",
    retryable: true,
    message: "The node is not connected.",
  },
  nodeCallFailed: {
    code: "RW_NODE_CALL_FAILED",
    status: 502,
    fault: "gateway",
    retryable: true,
    message: "The node did not do what it was asked.",
  },
  adminBadRequest: {
    code: "RW_ADMIN_BAD_REQUEST",
    status: 400,
    fault: "operator",
    retryable: false,
    message: "The request is not valid.",
  },
  adminMethodNotAllowed: {
    code: "RW_ADMIN_METHOD_NOT_ALLOWED",
    status: 405,
    fault: "operator",
    retryable: false,
    message: "The endpoint does not answer this method.",
  },
  adminBodyTooLarge: {
    code: "RW_ADMIN_BODY_TOO_LARGE",
    status: 413,
    fault: "operator",
    retryable: false,
    message: "The body is larger than allowed.",
  },
  // Between control plane and data plane.
  protocolViolation: {
    code: "RW_PROTOCOL_VIOLATION",
    status: 400,
    fault: "operator",
    retryable: false,
    message: "The peer broke the cluster protocol.",
  },
  versionMismatch: {
    code: "RW_VERSION_MISMATCH",
    status: 400,
    fault: "operator",
    retryable: true,
    message: "The versions of control plane and data plane do not fit.",
  },
  identityRefused: {
    code: "RW_IDENTITY_REFUSED",
    status: 403,
    fault: "operator",
    retryable: true,
    message: "The certificate may not speak for this node id.",
  },
  joinRefused: {
    code: "RW_JOIN_REFUSED",
    status: 403,
    fault: "operator",
    retryable: false,
    message: "The node may not join.",
  },
  joiningOff: {
    code: "RW_JOINING_OFF",
    status: 409,
    fault: "operator",
    retryable: false,
    message: "This control plane signs no certificates. Set cluster.control_plane.ca to let nodes join.",
  },
  certificateRevoked: {
    code: "RW_CERTIFICATE_REVOKED",
    status: 403,
    fault: "operator",
    retryable: false,
    message: "The certificate was revoked.",
  },
  integrityMismatch: {
    code: "RW_INTEGRITY_MISMATCH",
    status: 422,
    fault: "gateway",
    retryable: true,
    message: "The configuration received does not have the hash it was announced with.",
  },
  deltaMismatch: {
    code: "RW_DELTA_MISMATCH",
    status: 409,
    fault: "gateway",
    retryable: true,
    message: "The change received does not build on what the node runs.",
  },
  staleVersion: {
    code: "RW_STALE_VERSION",
    status: 409,
    fault: "operator",
    retryable: false,
    message: "The version offered is older than the one that the node runs.",
  },
  streamReplaced: {
    code: "RW_STREAM_REPLACED",
    status: 409,
    fault: "gateway",
    retryable: true,
    message: "A newer connection of the same node took the place of this one.",
  },
  storeUnavailable: {
    code: "RW_STORE_UNAVAILABLE",
    status: 503,
    fault: "operator",
    retryable: true,
    message: "The store cannot be used.",
  },
  commitUncertain: {
    code: "RW_COMMIT_UNCERTAIN",
    status: 504,
    fault: "operator",
    retryable: false,
    message: "Whether the change was stored is not known.",
  },
} as const satisfies Record<string, FailureDefinition>;

export interface FailureDefinition {
  readonly code: `RW_${string}`;
  readonly status: number;
  readonly fault: "client" | "upstream" | "gateway" | "operator";
  readonly retryable: boolean;
  /** What a client is told, one sentence. */
  readonly message: string;
}

export type FailureKind = keyof typeof FAILURES;

/** The one error class. `message` is for the log; a client sees the table's sentence unless `detail` is given. */
export class RunwayError extends Error {
  readonly kind: FailureKind;
  /** A sentence that is safe to show to whoever caused the failure. */
  readonly detail: string | undefined;

  constructor(kind: FailureKind, detail?: string, options?: { cause?: unknown }) {
    super(detail ?? FAILURES[kind].message, options);
    this.name = "RunwayError";
    this.kind = kind;
    this.detail = detail;
  }

  get definition(): FailureDefinition {
    return FAILURES[this.kind];
  }

  /** Turns anything thrown into a RunwayError; what is not one yet becomes `kind`, with the original as cause. */
  static from(reason: unknown, kind: FailureKind = "internal"): RunwayError {
    return reason instanceof RunwayError ? reason : new RunwayError(kind, undefined, { cause: reason });
  }
}
