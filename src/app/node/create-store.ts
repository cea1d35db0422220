import { readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { type ConnectionOptions, checkServerIdentity } from "node:tls";
import type { NodeSettings } from "../../config/node-settings.ts";
import { isSecretReference, secretResolver } from "../../config/secret-reference.ts";
import type { Store } from "../../config/store.ts";
import { isLocalHost, parseStoreUrl } from "../../config/store-url.ts";
import { RunwayError } from "../../core/failure.ts";
import type { NodeContext } from "./node-context.ts";

type ControlPlaneSettings = NodeSettings["cluster"]["control_plane"];
type PostgresTls = ControlPlaneSettings["postgres"]["tls"];

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 4_000;

/** The store that the settings name, not opened yet. A driver is loaded only where it is used. */
export async function createStore({ loaded, env, clock }: NodeContext): Promise<Store> {
  const settings = loaded.settings.cluster.control_plane;
  if (settings.store === "") {
    const { SqliteStore } = await import("../../store/sqlite/sqlite-store.ts");
    return new SqliteStore({ directory: settings.data_dir, clock });
  }
  const resolve = secretResolver({ env, readFile: (path) => readFileSync(path, "utf8") });
  const resolved = (text: string, path: string): string => {
    if (!isSecretReference(text)) return text;
    const secret = resolve(text);
    if (secret.ok) return secret.value;
    throw new RunwayError("configurationInvalid", `cluster.control_plane.${path}: ${secret.message}`);
  };
  const place = parseStoreUrl(resolved(settings.store, "store"));
  if ("problem" in place) throw new RunwayError("configurationInvalid", `cluster.control_plane.store ${place.problem}`);
  const { PostgresStore } = await import("../../store/postgres/postgres-store.ts");
  const { listen, tls, password } = settings.postgres;
  const connection = {
    ...place,
    password: () => (password === "" ? place.password : resolved(password, "postgres.password")),
    tls: (tls.enabled ?? !isLocalHost(place.host)) ? tlsOptions(tls) : undefined,
  };
  return new PostgresStore({ connection, listen, clock });
}

/** The driver compares the certificate with the host, and asks for that name, unless another is set. */
function tlsOptions({ ca_file, cert_file, key_file, server_name: name }: PostgresTls): ConnectionOptions {
  return {
    ...(ca_file === "" ? {} : { ca: readPem("ca_file", ca_file) }),
    ...(cert_file === "" ? {} : { cert: readPem("cert_file", cert_file) }),
    ...(key_file === "" ? {} : { key: readPem("key_file", key_file) }),
    ...(name === "" ? {} : { checkServerIdentity: (_, certificate) => checkServerIdentity(name, certificate) }),
  };
}

function readPem(setting: string, path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    const place = `cluster.control_plane.postgres.tls.${setting}`;
    throw new RunwayError("configurationInvalid", `${place}: the file ${path} cannot be read`, { cause });
  }
}

/**
 * Opens the store, waiting for a database that is away: it and its control planes may well start together. A directory that cannot
 * be used is not going to change by that.
 */
export async function openStore(store: Store, { loaded, clock, logger }: NodeContext): Promise<void> {
  const { store: place, postgres } = loaded.settings.cluster.control_plane;
  const giveUpMs = place === "" ? 0 : clock.monotonicMs() + postgres.start_timeout;
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2)) {
    try {
      await store.open();
      return;
    } catch (error) {
      const { kind, message: reason } = RunwayError.from(error);
      if (kind !== "storeUnavailable" || clock.monotonicMs() + pauseMs > giveUpMs) throw error;
      logger.warn("The store cannot be opened yet; trying again", { reason });
      await pause(pauseMs);
    }
  }
}
