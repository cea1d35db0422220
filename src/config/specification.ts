import type { z } from "zod";
import type { Resource } from "./resource.ts";
import { ListenerSpec } from "./resources/listener.ts";
import { RankedRouteSpec } from "./resources/route.ts";
import { SETTINGS, type SettingsName } from "./resources/settings.ts";
import { UpstreamSpec } from "./resources/upstream.ts";

/** The schemas of specs by kind. A settings resource has the schema of the block that its id names. */
const SPECIFICATIONS = { listener: ListenerSpec, route: RankedRouteSpec, upstream: UpstreamSpec } as const;

/** The schema of a resource's spec; undefined for a settings block that does not exist. */
export function specificationOf({ kind, id }: Pick<Resource, "kind" | "id">): z.ZodType | undefined {
  if (kind !== "settings") return SPECIFICATIONS[kind];
  return isSettingsName(id) ? SETTINGS[id] : undefined;
}

export const SETTINGS_NAMES = Object.keys(SETTINGS) as readonly SettingsName[];

function isSettingsName(name: string): name is SettingsName {
  return Object.hasOwn(SETTINGS, name);
}
