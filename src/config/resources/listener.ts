import { z } from "zod";
import { duration, filePath, hostPattern, listenAddress, network } from "./scalars.ts";

const HttpLimits = z.strictObject({
  read_header_timeout: duration
    .prefault("30s")
    .describe("How long the head of a request may take to arrive; then 408."),
  read_timeout: duration.prefault("30s").describe("How long the body of a request may pause; then 408."),
  body_timeout: duration
    .prefault("0s")
    .describe(
      "How long the whole body of a request may take to arrive; then 408. 0s means no limit, as streams need it.",
    ),
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
  max_header_count: z
    .int()
    .min(1)
    .max(128)
    .default(128)
    .describe("Lines that the header of a request may have; more is 431."),
  max_connections: z
    .int()
    .min(0)
    .default(20_000)
    .describe(
      "Connections that clients may have open at a time, over all workers; one more is answered 503 and closed. 0 means no limit.",
    ),
  max_connection_age: duration
    .prefault("1h")
    .describe(
      "How old a connection may become; then it is closed with its next answer, so that clients come back spread over what serves them now. Up to a tenth less, so that not all come at once. 0s means no limit.",
    ),
  max_requests_per_connection: z
    .int()
    .min(0)
    .default(0)
    .describe(
      "Requests that a connection is used for; it is closed with the answer to the last. On HTTP/2, those that were on their way by then are served too. 0 means no limit.",
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
      "More certificates, chosen by the host that a client asks for. Without `cert_file` the first is the default. Those under `certificates` at the top of the document come after them.",
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

const ProxyProtocol = z.strictObject({
  enabled: z
    .boolean()
    .default(false)
    .describe(
      "Whether connections begin with a PROXY header, of version 1 or 2, that names the client; one that does not is closed. The client named there is the peer for everything else: X-Forwarded-For, trusted proxies, the access log.",
    ),
  cidrs: z
    .array(network)
    .default([])
    .describe(
      "Networks of the proxies that send the header; connections from elsewhere begin without one. None means that every connection has it, so that whoever can connect can name any address.",
    ),
  timeout: duration
    .prefault("5s")
    .describe("How long the header may take to arrive; then the connection is closed. 0s means no limit."),
});

export const ListenerSpec = z.strictObject({
  address: listenAddress.describe(
    "Where to listen: host:port, or :port for every interface. Port 0 lets the system choose.",
  ),
  protocol: z.enum(["http"]).default("http").describe("What is spoken."),
  proxy_protocol: ProxyProtocol.prefault({}).describe("Whom a load balancer in front speaks for."),
  tls: ListenerTls.prefault({}).describe("TLS of this listener.").meta({ guards: true }),
  http: HttpLimits.prefault({}).describe("Limits of HTTP connections."),
});

export type Listener = z.output<typeof ListenerSpec> & { readonly id: string };
