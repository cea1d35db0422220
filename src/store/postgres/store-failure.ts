import { RunwayError } from "../../core/failure.ts";

/** What went wrong between us and the database, as a failure with advice. Text of the database is never shown: it may quote values. */
export function storeFailure(where: string, error: unknown): RunwayError {
  if (error instanceof RunwayError) return error;
  return new RunwayError("storeUnavailable", `The PostgreSQL database ${where} cannot be used: ${advice(error)}.`, {
    cause: error,
  });
}

/**
 * Whether the connection is at fault and not what was asked: another connection may do better. The classes 08 and 57P are
 * PostgreSQL's for connections and shutdowns, 25P03 a transaction that was ended for being idle, 25006 a server that was
 * the primary until now.
 */
export function isConnectionLoss(error: unknown): boolean {
  const { code = "", severity, syscall, message = "" } = error as NodeJS.ErrnoException & { severity?: string };
  if (severity !== undefined) return /^(?:08|57P)|^25P03$|^25006$/.test(code);
  return syscall !== undefined || ADVICE[code] !== undefined || BROKEN.test(message);
}

/** How the driver says that a connection is dead or could not be had. */
const BROKEN =
  /^(?:Connection terminated|Query read timeout|timeout |Client has encountered|Client was closed|The server does not support SSL)/;

/** By SQLSTATE (https://www.postgresql.org/docs/current/errcodes-appendix.html) and by the codes of the system. */
const UNTRUSTED = "its certificate is of no authority that is trusted here; look at postgres.tls.ca_file";
const ADVICE: Readonly<Record<string, string>> = {
  "25006": "it takes no writes; point to the primary server",
  "25P03": "this control plane stood still in the middle of a change; try again",
  "28000": "it does not let this user in; look at the user and pg_hba.conf",
  "28P01": "it refuses the password",
  "3D000": "there is no database of this name; create it",
  "42501": "a right is missing; make this user the owner of the schema runway",
  "53100": "its disk is full; make room",
  "53300": "it has no connection left; raise max_connections",
  "55P03": "another control plane holds it; try again",
  "57014": "it took too long; try again",
  "57P01": "it is shutting down",
  "57P03": "it is starting or stopping",
  ECONNREFUSED: "nothing listens there; start it, or look at the address",
  ENOENT: "there is no socket; start it, or look at the directory",
  ENOTFOUND: "its host has no address; look at the name",
  ETIMEDOUT: "it does not answer",
  ECONNRESET: "the connection broke",
  EPIPE: "the connection broke",
  SELF_SIGNED_CERT_IN_CHAIN: UNTRUSTED,
  DEPTH_ZERO_SELF_SIGNED_CERT: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNTRUSTED,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNTRUSTED,
  CERT_SIGNATURE_FAILURE: UNTRUSTED,
  CERT_HAS_EXPIRED: "its certificate has expired; give it a new one",
  ERR_TLS_CERT_ALTNAME_INVALID:
    "its certificate is for another name; look at the host, or set postgres.tls.server_name",
};

function advice(error: unknown): string {
  const { code = "", message = "" } = error as { code?: string; message?: string };
  if (ADVICE[code] !== undefined) return ADVICE[code];
  if (/timeout/i.test(message)) return "it does not answer";
  if (/SSL|TLS|certificate/i.test(message)) return `TLS failed (${message})`;
  if (BROKEN.test(message)) return "the connection broke";
  return `unexpected failure (${code === "" ? "no code" : code})`;
}
