import type { ConnectionOptions } from "node:tls";

/** Where a PostgreSQL database is and how it is spoken to. */
export interface ConnectionSettings {
  /** A name, an address, or the directory of a Unix socket. */
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  /** Asked at each connection, so that a new password needs no restart. */
  readonly password: () => string | undefined;
  /** Undefined speaks in clear. */
  readonly tls: ConnectionOptions | undefined;
}

/** For messages: without user and password. */
export function describeConnection({
  host,
  port,
  database,
}: Pick<ConnectionSettings, "host" | "port" | "database">): string {
  return `${database} at ${host.startsWith("/") ? `${host}/.s.PGSQL.${port}` : `${host}:${port}`}`;
}
