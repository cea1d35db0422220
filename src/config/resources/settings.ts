import { z } from "zod";
import { AccessLogSpec } from "./access-log.ts";
import { DnsResolverSpec } from "./dns-resolver.ts";
import { OverloadProtectionSpec } from "./overload-protection.ts";
import { duration, filePath, network } from "./scalars.ts";

export const LoggingSpec = z.strictObject({
  level: z
    .enum(["debug", "info", "warn", "error"])
    .default("info")
    .describe("The least important lines that are written."),
});

const ShutdownSpec = z.strictObject({
  timeout: duration
    .prefault("30s")
    .describe("How long requests in flight may take to finish once the process was told to stop."),
  drain_delay: duration
    .prefault("0s")
    .describe("How long to go on accepting requests, while /ready says no, before the listeners close."),
});

const TrustedProxiesSpec = z
  .strictObject({
    cidrs: z
      .array(network)
      .default([])
      .describe("Networks whose X-Forwarded-* headers are believed. None means nobody's."),
  })
  .meta({ guards: true });

const TransportSpec = z.strictObject({
  max_idle_conns_per_host: z
    .int()
    .min(0)
    .max(65_535)
    .default(256)
    .describe("Idle connections kept to one target, by each worker."),
  max_conns_per_host: z
    .int()
    .min(0)
    .max(65_535)
    .default(0)
    .describe("Connections to one target at a time, by each worker; 0 means no limit."),
  max_streams_per_conn: z
    .int()
    .min(1)
    .max(65_535)
    .default(100)
    .describe(
      "Requests at a time on one HTTP/2 connection to a target, when it allows as many; a further connection is opened for more. Fewer spread the requests over more connections.",
    ),
  http2_ping_interval: duration
    .prefault("0s")
    .describe(
      "How long an HTTP/2 connection to a target may be silent while it has requests before it is asked whether it is still there; no answer within 10s ends it. 0s asks never: gRPC servers refuse pings within 5m of each other.",
    ),
  idle_conn_timeout: duration.prefault("90s").describe("How long an idle connection to a target is kept."),
  dial_timeout: duration.prefault("30s").describe("How long a connection to a target may take to open; then 502."),
  tls_handshake_timeout: duration
    .prefault("10s")
    .describe("How long the TLS handshake with an https target may take; then 502."),
  ca_file: filePath.describe(
    "The authorities that https targets are verified with, PEM; those of the system when empty.",
  ),
  cert_file: filePath.describe("The certificate that https targets are shown, PEM."),
  key_file: filePath.describe("The key of that certificate, PEM, without a passphrase."),
  insecure_skip_verify: z
    .boolean()
    .default(false)
    .describe("Whether https targets are believed without verification. For experiments only."),
});

/** The blocks of a document that are settings of the whole gateway, by name. */
export const SETTINGS = {
  logging: LoggingSpec,
  access_log: AccessLogSpec,
  overload_protection: OverloadProtectionSpec,
  shutdown: ShutdownSpec,
  trusted_proxies: TrustedProxiesSpec,
  transport: TransportSpec,
  dns_resolver: DnsResolverSpec,
} as const;

export type SettingsName = keyof typeof SETTINGS;
export type Settings = { readonly [Name in SettingsName]: z.output<(typeof SETTINGS)[Name]> };
