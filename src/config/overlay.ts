import { addressesConflict } from "./checks/listener-addresses.ts";
import { isMapping, type JsonObject } from "./json.ts";
import { inCanonicalOrder, type Resource } from "./resource.ts";

/** What a node puts over a configuration that was made for the whole fleet. */
export interface NodeOverlay {
  /** Listeners of the node's own file; empty where the configuration is the file itself. */
  readonly listeners: readonly Resource[];
  /** Logging settings of the node's own file, which give way to those of the configuration. */
  readonly logging: JsonObject;
  /** Logging settings from the environment, which come before all others. */
  readonly loggingOverride: JsonObject;
}

export const EMPTY_OVERLAY: NodeOverlay = { listeners: [], logging: {}, loggingOverride: {} };

/** The resources that this node runs. Hashes and versions are those of the resources without the overlay. */
export function overlayNode(resources: readonly Resource[], overlay: NodeOverlay): Resource[] {
  return overlayLogging(overlayListeners(resources, overlay.listeners), overlay);
}

/**
 * A node's own listener stands in the place of the configuration's listener of the same id, and of any that wants the
 * same port: the person who wrote the node's file knows what the machine has to offer.
 */
export function overlayListeners(resources: readonly Resource[], own: readonly Resource[]): Resource[] {
  const givesWay = ({ kind, id, spec }: Resource) =>
    kind === "listener" &&
    own.some((listener) => listener.id === id || addressesConflict(addressOf(listener.spec), addressOf(spec)));
  return inCanonicalOrder([...resources.filter((resource) => !givesWay(resource)), ...own]);
}

function overlayLogging(resources: Resource[], { logging, loggingOverride }: NodeOverlay): Resource[] {
  const isLogging = ({ kind, id }: Resource) => kind === "settings" && id === "logging";
  const spec = { ...logging, ...resources.find(isLogging)?.spec, ...loggingOverride };
  if (Object.keys(spec).length === 0) return resources;
  const others = resources.filter((resource) => !isLogging(resource));
  return inCanonicalOrder([...others, { kind: "settings", id: "logging", spec }]);
}

/** Resources that came over the wire are not validated yet. */
function addressOf(spec: JsonObject): string {
  return isMapping(spec) && typeof spec.address === "string" ? spec.address : "";
}
