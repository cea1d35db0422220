import { basicAuth, jwt, keyAuth } from "./authentication.ts";
import { cors } from "./cors.ts";
import { ipRestriction } from "./ip-restriction.ts";
import type { PluginReader } from "./plugin-reader.ts";
import { requestTermination } from "./request-termination.ts";
import { correlationId, rateLimiting, requestSizeLimiting } from "./traffic.ts";
import { requestTransformer, responseTransformer } from "./transformers.ts";

/** The plugins of Kong that have a counterpart. */
export const READERS: Readonly<Record<string, PluginReader>> = {
  "basic-auth": basicAuth,
  "correlation-id": correlationId,
  cors,
  "ip-restriction": ipRestriction,
  jwt,
  "key-auth": keyAuth,
  "rate-limiting": rateLimiting,
  "request-size-limiting": requestSizeLimiting,
  "request-termination": requestTermination,
  "request-transformer": requestTransformer,
  "response-transformer": responseTransformer,
};

/** Plugins that find out who asks, and let nobody else in unless they name an `anonymous` consumer. */
const AUTHENTICATORS: readonly string[] = [
  "basic-auth",
  "hmac-auth",
  "jwt",
  "jwt-signer",
  "key-auth",
  "key-auth-enc",
  "ldap-auth",
  "ldap-auth-advanced",
  "mtls-auth",
  "oauth2",
  "oauth2-introspection",
  "openid-connect",
  "vault-auth",
];

/** Plugins that watch, count or change what passes. Any other, above all one that nobody knows, may keep somebody out. */
const LETS_ALL_PASS: readonly string[] = [
  "acme",
  "correlation-id",
  "cors",
  "datadog",
  "file-log",
  "grpc-gateway",
  "grpc-web",
  "http-log",
  "kafka-log",
  "loggly",
  "opentelemetry",
  "prometheus",
  "proxy-cache",
  "rate-limiting",
  "request-transformer",
  "response-ratelimiting",
  "response-transformer",
  "session",
  "statsd",
  "syslog",
  "tcp-log",
  "udp-log",
  "zipkin",
];

export function isAuthenticator(name: string): boolean {
  return AUTHENTICATORS.includes(name);
}

export function mayKeepOut(name: string): boolean {
  return !LETS_ALL_PASS.includes(name);
}
