import { type Check, problemOf } from "./check.ts";

/** No listener is told of proxies whose headers it would not read. */
export const proxyProtocol: Check = function* ({ listeners }) {
  for (const { id, proxy_protocol } of listeners) {
    if (proxy_protocol.enabled || proxy_protocol.cidrs.length === 0) continue;
    const message = "is false, so the networks named here would not be used: say enabled: true, or take them away";
    yield problemOf("listener", id, "proxy_protocol.enabled", message);
  }
};
