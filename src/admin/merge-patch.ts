import { isMapping, type Json, type JsonObject } from "../config/json.ts";

/** The target with a JSON merge patch applied (RFC 7396 §2): mappings are merged, null removes, all else replaces. */
export function mergePatch(target: Json | undefined, patch: JsonObject): JsonObject {
  const merged = new Map(Object.entries(isMapping(target) ? target : {}));
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) merged.delete(key);
    else merged.set(key, isMapping(value) ? mergePatch(merged.get(key), value) : value);
  }
  return Object.fromEntries(merged);
}
