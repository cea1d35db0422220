import { z } from "zod";
import { type PluginReader, Texts } from "./plugin-reader.ts";

/** Kong sends credentials on unless it is told not to. */
const SHOWN = { hide_credentials: false };

/** Kong takes a key from several places under several names; here it is one header and one parameter. */
export const keyAuth: PluginReader = {
  defaults: { key_in_header: true, run_on_preflight: true },
  read(config, tell) {
    const [name = "apikey", ...others] = config.read("key_names", Texts, ["apikey"]);
    const isInHeader = config.read("key_in_header", z.boolean(), true);
    const isInQuery = config.read("key_in_query", z.boolean(), true);
    if (!isInHeader && !isInQuery) return { missing: "it looks for keys in bodies alone" };
    if (config.read("key_in_body", z.boolean(), false)) tell.leftOut("keys in bodies are not looked for");
    if (others.length > 0) tell.approximated(`keys are taken under the name ${name} alone, not ${others.join(", ")}`);
    if (!isInHeader) tell.approximated("keys are taken from a header too");
    const isHidden = config.read("hide_credentials", z.boolean(), false);
    const places = { header: name, ...(isInQuery ? { query_param: name } : {}) };
    return { blocks: { api_key: { ...places, ...(isHidden ? {} : SHOWN) } } };
  },
};

export const basicAuth: PluginReader = {
  defaults: {},
  read(config) {
    const realm = config.read("realm", z.string(), "");
    const isHidden = config.read("hide_credentials", z.boolean(), false);
    return { blocks: { basic_auth: { ...(realm === "" ? {} : { realm }), ...(isHidden ? {} : SHOWN) } } };
  },
};

/** Kong finds the credential by a claim of the token, and verifies the token with that credential's key. */
export const jwt: PluginReader = {
  defaults: { run_on_preflight: true, header_names: ["authorization"], maximum_expiration: 0 },
  read(config, tell) {
    if (config.read("secret_is_base64", z.boolean(), false)) return { missing: "secrets in base64 are not read" };
    const claims = config.read("claims_to_verify", Texts, []);
    const [cookie] = config.read("cookie_names", Texts, []);
    if (!claims.includes("exp") || !claims.includes("nbf"))
      tell.approximated("a token before or after its time is refused, whatever claims_to_verify says");
    if (config.read("uri_param_names", Texts, ["jwt"]).length > 0)
      tell.approximated("tokens are taken from the Authorization header, or a cookie, and not from the query");
    const block = {
      consumer_keys: true,
      id_claim: config.read("key_claim_name", z.string(), "iss"),
      leeway: "0s",
      require_expiry: claims.includes("exp"),
      ...(cookie === undefined ? {} : { cookie }),
      ...SHOWN,
    };
    return { blocks: { jwt: block } };
  },
};
