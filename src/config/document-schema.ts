import { z } from "zod";
import { NodeBlocks } from "./node-settings.ts";
import { ListenerDocument } from "./resources/listener.ts";
import { RouteSpec } from "./resources/route.ts";
import { identifier } from "./resources/scalars.ts";
import { SETTINGS } from "./resources/settings.ts";
import { UpstreamSpec } from "./resources/upstream.ts";

export const RouteDocument = RouteSpec.safeExtend({ id: identifier.describe("Stable name, unique among routes.") });

/** What a document says about the gateway, as one schema: for generated pages, editors and reading other dialects. */
export const GatewayDocument = z.strictObject({
  listeners: z.array(ListenerDocument).default([]).describe("Where the gateway listens."),
  upstreams: z.record(identifier, UpstreamSpec).default({}).describe("Named groups of targets."),
  routes: z.array(RouteDocument).default([]).describe("Which requests go where."),
  ...SETTINGS,
});

/** A whole document: the gateway's part and the node's own blocks. */
export const DocumentSpec = z.strictObject({ ...NodeBlocks.shape, ...GatewayDocument.shape });
