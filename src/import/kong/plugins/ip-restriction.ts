import type { KongEntity } from "../kong-entity.ts";
import { type PluginReader, Texts } from "./plugin-reader.ts";

/** Lets no client address in. */
export const NOBODY = { deny: ["0.0.0.0/0", "::/0"] };

export const ipRestriction: PluginReader = {
  defaults: { status: 403 },
  read(config) {
    const [allow, deny] = [listOf(config, "allow", "whitelist"), listOf(config, "deny", "blacklist")];
    if (allow.length + deny.length === 0) return { missing: "it names no addresses" };
    const lists = { ...(allow.length > 0 ? { allow } : {}), ...(deny.length > 0 ? { deny } : {}) };
    return { blocks: { ip_filter: lists } };
  },
};

/** Older files have other names for the lists. */
function listOf(config: KongEntity, name: string, older: string): readonly string[] {
  return [...config.read(name, Texts, []), ...config.read(older, Texts, [])];
}
