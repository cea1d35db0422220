import { z } from "zod";
import type { JsonObject } from "../../../config/json.ts";
import type { KongEntity } from "../kong-entity.ts";
import { type PluginReader, type Tell, Texts } from "./plugin-reader.ts";

const KONG_METHODS = ["GET", "HEAD", "PUT", "PATCH", "POST", "DELETE", "OPTIONS", "TRACE", "CONNECT"];
const ORIGIN = /^(?:\*|null|[a-z][a-z0-9+.-]*:\/\/(?:\*\.)?[A-Za-z0-9.[\]:-]+)$/;

export const cors: PluginReader = {
  defaults: { preflight_continue: false, private_network: false, allow_origin_absent: true },
  read(config, tell) {
    const written = config.read("origins", Texts, ["*"]);
    const origins = written.filter((origin) => ORIGIN.test(origin));
    const credentials = config.read("credentials", z.boolean(), false);
    if (origins.length < written.length)
      tell.leftOut("origins that are no plain origin, such as regular expressions, may no more");
    if (origins.length === 0) return { missing: "none of its origins is a plain one" };
    if (credentials && origins.includes("*"))
      return { missing: "with credentials the origins have to be named, or any page could act for its visitors" };
    return {
      blocks: {
        cors: {
          allow_origins: origins,
          allow_methods: config.read("methods", Texts, KONG_METHODS),
          ...allowedHeaders(config, tell),
          ...exposedHeaders(config),
          ...(credentials ? { allow_credentials: true } : {}),
          // Kong tells browsers nothing where it is not set, and they forget after five seconds.
          max_age: Math.floor(config.read("max_age", z.number().min(0), 5)),
        },
      },
    };
  },
};

function allowedHeaders(config: KongEntity, tell: Tell): JsonObject {
  const headers = config.read("headers", Texts, []);
  if (headers.length > 0) return { allow_headers: headers };
  tell.approximated("pages may set the usual headers, where Kong lets them set whichever they ask for");
  return {};
}

function exposedHeaders(config: KongEntity): JsonObject {
  const headers = config.read("exposed_headers", Texts, []);
  return headers.length === 0 ? {} : { expose_headers: headers };
}
