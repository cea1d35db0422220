import type { Listener } from "../../config/resources/listener.ts";
import type { HttpLimits } from "../../http/http-limits.ts";
import { TrustedProxies } from "../exchange/trusted-proxies.ts";

/** What a listener does with its connections, as far as files have no part in it. */
export interface ListenerSettings {
  readonly limits: HttpLimits;
  /** 0 means no limit. */
  readonly maxConnections: number;
  /** Undefined where connections begin with what the client says. */
  readonly proxyHeader: ProxyHeaderPolicy | undefined;
}

interface ProxyHeaderPolicy {
  /** From elsewhere, connections begin with what the client says. Undefined means from everywhere. */
  readonly proxies: TrustedProxies | undefined;
  readonly timeoutMs: number;
}

export function listenerSettingsOf({ http, proxy_protocol }: Listener): ListenerSettings {
  return {
    limits: {
      headTimeoutMs: http.read_header_timeout,
      bodyTimeoutMs: http.read_timeout,
      wholeBodyTimeoutMs: http.body_timeout,
      writeTimeoutMs: http.write_timeout,
      idleTimeoutMs: http.idle_timeout,
      maxHeadBytes: http.max_header_bytes,
      maxFields: http.max_header_count,
      maxConcurrentStreams: http.http2 ? http.max_concurrent_streams : 0,
      maxAgeMs: http.max_connection_age,
      maxRequests: http.max_requests_per_connection,
    },
    maxConnections: http.max_connections,
    proxyHeader: proxy_protocol.enabled ? proxyHeaderPolicyOf(proxy_protocol) : undefined,
  };
}

function proxyHeaderPolicyOf({ cidrs, timeout }: Listener["proxy_protocol"]): ProxyHeaderPolicy {
  return { proxies: cidrs.length === 0 ? undefined : new TrustedProxies(cidrs), timeoutMs: timeout };
}
