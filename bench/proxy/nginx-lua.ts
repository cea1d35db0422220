import { nginxVersion, startNginx } from "./nginx.ts";
import type { Subject } from "./subject.ts";

/** nginx with a small Lua hook in each phase of a request: how gateways are built on it, without the work of their plugins. */
export const nginxLua: Subject = {
  name: "nginx-lua",
  needs: ["nginx", "nginx-lua"],
  features: ["tls", "http2", "websocket", "access-log", "workers"],
  version: async () => `${await nginxVersion()} with Lua`,
  start: (setting) => startNginx("nginx-lua.conf", setting, { main: MAIN, location: LOCATION }),
};

const MAIN = `
    load_module /usr/lib/nginx/modules/ndk_http_module.so;
    load_module /usr/lib/nginx/modules/ngx_http_lua_module.so;
`;

/** Picks a route by its prefix and leaves it for the later phases, names the gateway in the answer, counts what was answered. */
const LOCATION = `
          rewrite_by_lua_block {
            local path = ngx.var.uri
            if string.sub(path, 1, 1) == "/" then ngx.ctx.route = "all" else return ngx.exit(404) end
            ngx.ctx.started = ngx.now()
          }
          header_filter_by_lua_block {
            ngx.header["X-Gateway-Route"] = ngx.ctx.route
          }
          log_by_lua_block {
            counts = counts or {}
            local key = ngx.ctx.route .. ":" .. ngx.status
            counts[key] = (counts[key] or 0) + 1
            seconds = (seconds or 0) + (ngx.now() - ngx.ctx.started)
          }
`;
