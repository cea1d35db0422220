import { z } from "zod";
import { duration, filePath, hostPattern, listenAddress } from "./scalars.ts";

const HttpLimits = z.strictObject({
  read_header_timeout: duration
    .prefault("30s")
    .describe("How long the head of a request may take to arrive; then 408."),
  read_timeout: duration.prefault("30s").describe("How long the body of a request may pause; then 408."),
  write_timeout: duration
    .prefault("30s")
    .describe("How long a client may read nothing of a response; then the connection is closed."),
  idle_timeout: duration
    .prefault("60s")
    .describe("How long a connection may wait for its next request; then it is closed."),
  max_header_bytes: z
    .int()
    .min(1_024)
    .max(1_048_576)
    .default(16_384)
    .describe("Bytes that the head of a request may have; more is 431, or 414 when the first line alone is longer."),
  max_connections: z
    .int()
    .min(0)
    .default(20_000)
    .describe(
      "Connections that clients may have open at a time, over all workers; one more is answered 503 and closed. 0 means no limit.",
    ),
  http2: z
    .boolean()
    .default(true)
    .describe(
      "Whether HTTP/2 is spoken with clients that ask for it, by ALPN or by beginning with it; HTTP/1.1 always is.",
    ),
  max_concurrent_streams: z
    .int()
    .min(1)
    .max(1_000)
    .default(100)
    .describe("Requests that a client may have going on at a time on one HTTP/2 connection."),
});

const CertificateSpec = z.strictObject({
  cert_file: filePath.describe("The certificate and those between it and its authority, PEM."),
  key_file: filePath.describe("The key of that certificate, PEM, without a passphrase."),
  hosts: z
    .array(hostPattern)
    .default([])
    .describe("Hosts that are shown this certificate; `*.example.com` stands for one label. None means its own names."),
});

/** YAML reads `min_version: 1.2` as a number. */
const tlsVersion = z.union([z.enum(["1.2", "1.3"]), z.literal([1.2, 1.3]).transform(String)]);

const ListenerTls = z.strictObject({
  enabled: z
    .boolean()
    .default(false)
    .describe("Whether TLS is spoken. Files are named as the node that listens has them."),
  cert_file: filePath.describe("The certificate for whoever asks for no host that another one is for, PEM."),
  key_file: filePath.describe("The key of that certificate, PEM, without a passphrase."),
  certificates: z
    .array(CertificateSpec)
    .default([])
    .describe(
      "More certificates, chosen by the host that a client asks for. Without `cert_file` the first is the default.",
    ),
  client_auth: z
    .enum(["none", "request", "require", "verify"])
    .default("none")
    .describe(
      "Client certificates: not asked for, asked for, necessary whoever issued them, or necessary and verified.",
    ),
  client_ca_file: filePath.describe("The authorities whose client certificates are accepted with `verify`, PEM."),
  min_version: tlsVersion.default("1.2").describe("The oldest version of TLS that is spoken."),
  handshake_timeout: duration.prefault("10s").describe("How long a handshake may take; then the connection is closed."),
});

export const ListenerSpec = z.strictObject({
  address: listenAddress.describe(
    "Where to listen: host:port, or :port for every interface. Port 0 lets the system choose.",
  ),
  protocol: z.enum(["http"]).default("http").describe("What is spoken."),
  tls: ListenerTls.prefault({}).describe("TLS of this listener."),
  http: HttpLimits.prefault({}).describe("Limits of HTTP connections."),
});

export type Listener = z.output<typeof ListenerSpec> & { readonly id: string };
