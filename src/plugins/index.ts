import type { Plugin } from "../sdk/plugin.ts";
import { allowedHosts } from "./allowed_hosts/plugin.ts";
import { apiKey } from "./api_key/plugin.ts";
import { basicAuth } from "./basic_auth/plugin.ts";
import { compression } from "./compression/plugin.ts";
import { cors } from "./cors/plugin.ts";
import { extAuth } from "./ext_auth/plugin.ts";
import { httpsRedirect } from "./https_redirect/plugin.ts";
import { ipFilter } from "./ip_filter/plugin.ts";
import { jwt } from "./jwt/plugin.ts";
import { mirror } from "./mirror/plugin.ts";
import { rateLimit } from "./rate_limit/plugin.ts";
import { redirect } from "./redirect/plugin.ts";
import { requestId } from "./request_id/plugin.ts";
import { rewrite } from "./rewrite/plugin.ts";
import { securityHeaders } from "./security_headers/plugin.ts";
import { staticAnswer } from "./static/plugin.ts";
import { trafficSplit } from "./traffic_split/plugin.ts";
import { transform } from "./transform/plugin.ts";

/** The plugins of the house. The order of this list is the order of running: requests go down it, responses come back up. */
export const PLUGINS: readonly Plugin[] = [
  // What every answer gets, also that of a plugin further down or of a failure.
  requestId,
  securityHeaders,
  cors,
  compression,
  // Who may come at all.
  ipFilter,
  allowedHosts,
  httpsRedirect,
  // Who it is.
  apiKey,
  basicAuth,
  jwt,
  // How much, when it is known who.
  rateLimit,
  // Whether that one may.
  extAuth,
  // What is answered in place of an upstream.
  redirect,
  staticAnswer,
  // Which upstream, and what it gets.
  trafficSplit,
  rewrite,
  transform,
  mirror,
];
