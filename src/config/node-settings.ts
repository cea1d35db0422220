import { z } from "zod";
import { secret } from "../sdk/secret.ts";
import { duration, identifier, parseAddress } from "./resources/scalars.ts";
import { LoggingSpec } from "./resources/settings.ts";
import { isSecretReference } from "./secret-reference.ts";
import { parseStoreUrl } from "./store-url.ts";

const ROLES = ["standalone", "control_plane", "data_plane"] as const;
export type Role = (typeof ROLES)[number];

/** Addresses and files may be empty, which counts as not given: what a role needs is said by role-rules.ts. */
const text = z.string().default("");

const role = z
  .string()
  .default("standalone")
  .transform((name, context): Role => {
    const known = name === "" ? "standalone" : ROLES.find((role) => role === name);
    if (known !== undefined) return known;
    const message = `cluster.role must be "standalone", "control_plane", or "data_plane", got ${JSON.stringify(name)}`;
    context.addIssue({ code: "custom", message });
    return z.NEVER;
  })
  .describe("What this node is: standalone, control_plane or data_plane.");

/** Something done again and again needs time between. */
const interval = duration.refine((ms) => ms >= 10, "must be at least 10ms");

const listenTo = z
  .string()
  .refine(
    (address) => address === "" || parseAddress(address) !== undefined,
    "must be host:port or :port, such as :9443",
  )
  .default("");

const peerAddress = z
  .string()
  .refine(
    (address) => address === "" || parseAddress(address)?.host !== undefined,
    "must be host:port, such as cp.example.com:9443",
  );

function isStore(text: string): boolean {
  return text === "" || isSecretReference(text) || !("problem" in parseStoreUrl(text));
}

const ControlPlaneSettings = z.strictObject({
  address: listenTo.describe("Where data planes connect to: host:port, or :port for every interface."),
  tls: z
    .strictObject({
      enabled: z.boolean().default(false).describe("Has to be true: data planes are served with mutual TLS only."),
      cert_file: text.describe("The control plane's certificate, PEM."),
      key_file: text.describe("The key of that certificate, PEM."),
      client_ca_file: text.describe("The authorities whose certificates data planes may show, PEM."),
    })
    .prefault({}),
  ca: z
    .strictObject({
      cert_file: text.describe(
        "The authority that signs certificates of nodes, PEM; behind it others that nodes are to trust besides, as while one takes the place of another. Empty: nodes cannot join here, nor renew.",
      ),
      key_file: text.describe("The key of the authority that comes first, PEM."),
      lifetime: duration
        .refine((ms) => ms >= 10_000, "must be at least 10s")
        .prefault("7d")
        .describe("How long a certificate that is signed here is valid."),
    })
    .prefault({})
    .describe(
      "The authority with which this control plane gives certificates to nodes. Its files are read anew each time.",
    ),
  data_dir: z
    .string()
    .min(1)
    .default("/var/lib/runway/control-plane")
    .describe(
      "The directory of the control plane's own files: the store, unless it is elsewhere. Nobody else may read it.",
    ),
  store: secret(
    z.string().refine(isStore, "must be postgres://user@host:5432/database, or empty for SQLite in data_dir"),
  )
    .default("")
    .describe(
      "Where the configuration is kept. Empty: SQLite in data_dir. postgres://user@host:5432/database: in PostgreSQL, which several control planes may share; a reference such as ${file:/run/secrets/store} is read when the node starts.",
    ),
  postgres: z
    .strictObject({
      password: secret(text).describe(
        "Better a reference, ${file:/run/secrets/password} or ${env:NAME}: it is read anew at each connection.",
      ),
      tls: z
        .strictObject({
          enabled: z
            .boolean()
            .optional()
            .describe(
              "Left out, TLS is spoken with every host but this machine. The server's certificate is verified.",
            ),
          ca_file: text.describe(
            "The authorities whose certificate the server may show, PEM; empty means the system's.",
          ),
          cert_file: text.describe("The certificate that is shown to the server, PEM."),
          key_file: text.describe("The key of that certificate, PEM."),
          server_name: text.describe("The name that has to be in the server's certificate; empty means its host."),
        })
        .prefault({}),
      listen: z
        .boolean()
        .default(true)
        .describe("Whether to be told of changes at once (LISTEN). Not possible through most connection poolers."),
      poll_interval: interval
        .prefault("200ms")
        .describe("How often to look for changes of other control planes, whether told or not."),
      start_timeout: duration
        .prefault("1m")
        .describe(
          "How long a control plane that starts waits for a database that is away, asking again and again. Then it ends, for whoever started it to start it anew; data planes serve on meanwhile with what they have.",
        ),
    })
    .prefault({}),
  history: z
    .strictObject({
      versions: z.int().min(1).default(1_000).describe("How many of the newest versions are kept at least."),
      age: duration.prefault("7d").describe("How long a version is kept at least."),
    })
    .prefault({})
    .describe("Versions go when neither wants them any more and no node needs them."),
  advertised_address: peerAddress
    .default("")
    .describe("Where data planes reach this control plane, told to those of the others: host:port. Empty: not told."),
  alarm_after: duration
    .refine((ms) => ms >= 1_000, "must be at least 1s")
    .prefault("1m")
    .describe(
      "How long a connected node may be behind before that is an alarm: `late` at /cluster/nodes, runway_fleet_nodes_late, an error in the log. Then it is sent everything anew, again and again with longer pauses.",
    ),
  compatibility: z
    .enum(["patch", "minor"])
    .default("patch")
    .describe(
      "How much older than this control plane data planes may be: in their patch version, or in their minor version too. The latter are given what they know, and the whole of a change is withheld where they would be less protected without the rest.",
    ),
  trust_domain: z
    .string()
    .regex(/^(?:[a-z0-9._-]+)?$/, "must be the trust domain alone, such as example.org")
    .default("")
    .describe("The trust domain of node names such as spiffe://<trust domain>/node/<id>; empty means any."),
});

const DataPlaneSettings = z.strictObject({
  address: z
    .union([z.array(peerAddress.min(1)).min(1), peerAddress])
    .default("")
    .transform((addresses) => (typeof addresses === "string" ? (addresses === "" ? [] : [addresses]) : addresses))
    .describe("The control plane: host:port, or a list of which each is tried in turn."),
  tls: z
    .strictObject({
      enabled: z
        .boolean()
        .default(false)
        .describe("Has to be true: a control plane is spoken to with mutual TLS only."),
      cert_file: text.describe("This node's certificate, PEM."),
      key_file: text.describe("The key of that certificate, PEM."),
      ca_file: text.describe("The authorities whose certificate the control plane may show, PEM."),
      server_name: text.describe("The name that has to be in its certificate; empty means the host of the address."),
      renew: z
        .boolean()
        .default(false)
        .describe(
          "Whether the node has its certificate renewed by the control plane, a third of its lifetime before it ends, and writes these files itself. `runway join` sets them up so; cert_file and key_file have to be one file, so that both are replaced in one step.",
        ),
    })
    .prefault({}),
  cache_dir: z
    .string()
    .min(1)
    .default("/var/lib/runway/cluster")
    .describe("The directory of the last good configuration and the node id. Nobody else may read it."),
  retry_interval: interval.prefault("5s").describe("How long to wait at most before the first attempt to reconnect."),
  heartbeat_interval: interval.prefault("10s").describe("How often the node says how it is."),
  node_id: z
    .union([z.literal(""), identifier])
    .default("")
    .describe("The node's name in the fleet. Empty means a generated one, kept in cache_dir."),
  labels: z
    .record(z.string(), z.string())
    .default({})
    .describe("What is to be known about the node, such as its region."),
  sync: z
    .enum(["delta", "full"])
    .default("delta")
    .describe("Whether the control plane sends what changed, where it can, or always the whole configuration."),
  transport: z
    .enum(["auto", "grpc", "websocket"])
    .default("auto")
    .describe("How the control plane is spoken to; auto is gRPC, and WebSocket where gRPC does not get through."),
  proxy: z
    .union([z.literal(""), z.url({ protocol: /^https?$/ })], "must be a URL such as http://user:password@proxy:3128")
    .default("")
    .describe("An HTTP proxy that is asked for a tunnel (CONNECT) to the control plane; empty means none."),
});

const ClusterSettings = z.strictObject({
  role,
  control_plane: ControlPlaneSettings.prefault({}),
  data_plane: DataPlaneSettings.prefault({}),
});

/** What whoever may use the admin API may do: look; also change the configuration; also say who may. */
export const ADMIN_ROLES = ["viewer", "operator", "administrator"] as const;
export type AdminRole = (typeof ADMIN_ROLES)[number];

const AdminTls = z.strictObject({
  cert_file: text.describe("The certificate of the admin API, PEM. With it the admin API speaks TLS only."),
  key_file: text.describe("The key of that certificate, PEM, without a passphrase."),
  client_ca_file: text.describe("The authorities whose client certificates are believed, PEM."),
  roles: z
    .record(z.string(), z.enum(ADMIN_ROLES))
    .default({})
    .describe(
      "What bearers of client certificates may do: viewer, operator or administrator, by a name in the certificate (its common name or an alternative name).",
    ),
});

export const AdminSettings = z.strictObject({
  enabled: z.boolean().default(true).describe("Whether there is an admin API."),
  address: z.string().min(1).default("127.0.0.1").describe("The interface on which the admin API listens."),
  port: z.int().min(0).max(65_535).default(8081).describe("The port on which the admin API listens."),
  require_authentication: z
    .boolean()
    .default(false)
    .describe(
      "Whether callers have to show a token or a client certificate on loopback too. Elsewhere they have to unless allow_unauthenticated is set.",
    ),
  allow_unauthenticated: z
    .boolean()
    .default(false)
    .describe("Whether it asks nobody who they are although it listens elsewhere than on loopback."),
  allow_plaintext: z
    .boolean()
    .default(false)
    .describe("Whether it may listen elsewhere than on loopback without TLS, as behind a proxy that speaks it."),
  tokens_file: text.describe(
    "A file of tokens that are accepted besides those of the control plane's store, as `runway token create --file` writes it.",
  ),
  tls: AdminTls.prefault({}).describe("TLS of the admin API."),
});

const WorkersSetting = z
  .union([z.literal("auto"), z.int().min(0).max(1_024)], 'must be a whole number from 0 to 1024, or "auto"')
  .default("auto")
  .describe("How many threads serve traffic; auto means one for each core. 0 is a control plane that proxies nothing.");

/** The blocks of a document that speak of the node itself. */
export const NODE_SCHEMA = z.strictObject({
  cluster: ClusterSettings.prefault({}),
  admin: AdminSettings.prefault({}),
  workers: WorkersSetting,
  extensions: z
    .array(z.string().min(1))
    .default([])
    .describe(
      "Modules with plugins of your own, as paths from this file; they run behind those of the house. Read at the start.",
    ),
});

/** Every setting of a node; any of them can also come from the environment (see environment.ts). */
export const NodeSettingsSpec = NODE_SCHEMA.extend({ logging: LoggingSpec.prefault({}) });

/** A node's own settings, defaults filled in, durations in milliseconds. */
export type NodeSettings = z.output<typeof NodeSettingsSpec>;
