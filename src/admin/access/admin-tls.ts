import { readFileSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import type { Server, ServerOptions } from "node:https";
import { createSecureContext, TLSSocket } from "node:tls";
import type { NodeSettings } from "../../config/node-settings.ts";
import type { Clock } from "../../core/clock.ts";
import { RunwayError } from "../../core/failure.ts";
import type { Logger } from "../../core/ports.ts";
import { watchFiles } from "../../core/watched-files.ts";

const HANDSHAKE_LIMIT_MS = 10_000;

type Files = NodeSettings["admin"]["tls"];

/** @throws RunwayError configurationInvalid when the files cannot be used */
export function tlsOptions(files: Files): ServerOptions {
  try {
    const material = readMaterial(files);
    createSecureContext(material);
    return {
      ...material,
      minVersion: "TLSv1.2",
      handshakeTimeout: HANDSHAKE_LIMIT_MS,
      // A certificate is asked for and looked at by whoever wants one: a caller may show a token instead.
      requestCert: files.client_ca_file !== "",
      rejectUnauthorized: false,
      // A resumed session is not verified again.
      sessionTimeout: 1,
    };
  } catch (cause) {
    const detail = `admin.tls cannot be used: ${cause instanceof Error ? cause.message : cause}.`;
    throw new RunwayError("configurationInvalid", detail, { cause });
  }
}

/** Uses new files for new handshakes; bad ones change nothing. Returns what stops watching. */
export function watchTls(files: Files, server: Server, clock: Clock, logger: Logger): () => void {
  const paths = [files.cert_file, files.key_file, files.client_ca_file].filter((path) => path !== "");
  return watchFiles(paths, clock, () => {
    try {
      server.setSecureContext(readMaterial(files));
      logger.info("The admin API shows a new certificate");
    } catch (error) {
      logger.error("The new certificate files of the admin API cannot be used; the old ones stay in use", { error });
    }
  });
}

/** The common name and the alternative names of a client certificate that was verified. */
export function certificateNames({ socket }: Pick<IncomingMessage, "socket">): readonly string[] {
  if (!(socket instanceof TLSSocket) || !socket.authorized) return [];
  const { subject, subjectaltname = "" } = socket.getPeerCertificate();
  if (subject === undefined) return [];
  const alternatives = Array.from(subjectaltname.matchAll(/(?:DNS|URI|email):([^,"]+)/g), ([, name]) => name!);
  return [...[subject.CN ?? []].flat(), ...alternatives];
}

function readMaterial(files: Files) {
  return {
    cert: readFileSync(files.cert_file),
    key: readFileSync(files.key_file),
    ...(files.client_ca_file === "" ? {} : { ca: readFileSync(files.client_ca_file) }),
  };
}
