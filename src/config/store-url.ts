/** What a `postgres://` URL says. */
interface ParsedStoreUrl {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: string | undefined;
}

const DEFAULT_PORT = 5432;

/**
 * Reads `postgres://user@host:5432/database`. A host that is a path, its slashes as %2F, is the directory of a Unix socket:
 * `postgres://user@%2Frun%2Fpostgresql/database`. Answers why not when it is none.
 */
export function parseStoreUrl(text: string): ParsedStoreUrl | { readonly problem: string } {
  const url = URL.parse(text);
  if (url === null || !["postgres:", "postgresql:"].includes(url.protocol))
    return { problem: "must be a postgres:// URL" };
  if (url.search !== "") return { problem: "may have no parameters; TLS, passwords and the like are set beside it" };
  const database = decodeURIComponent(url.pathname.slice(1));
  const host = decodeURIComponent(url.hostname).replace(/^\[(.*)\]$/, "$1");
  if (database === "" || database.includes("/"))
    return { problem: "must name a database, such as postgres://db.example.com/runway" };
  if (host === "") return { problem: "must name a host, such as postgres://db.example.com/runway" };
  return {
    host,
    port: url.port === "" ? DEFAULT_PORT : Number(url.port),
    database,
    user: url.username === "" ? "runway" : decodeURIComponent(url.username),
    password: url.password === "" ? undefined : decodeURIComponent(url.password),
  };
}

/** Whether what is said to this host never leaves the machine. */
export function isLocalHost(host: string): boolean {
  return host.startsWith("/") || host === "localhost" || host === "::1" || host.startsWith("127.");
}
