import { z } from "zod";
import { ListenerDocument } from "./resources/listener.ts";
import { RouteDocument } from "./resources/route.ts";
import { identifier } from "./resources/scalars.ts";
import { SETTINGS } from "./resources/settings.ts";
import { UpstreamSpec } from "./resources/upstream.ts";

/** What a document says about the gateway, as one schema: for generated pages, editors and reading other dialects. */
export const GatewayDocument = z.strictObject({
  listeners: z.array(ListenerDocument).default([]).describe("Where the gateway listens."),
  upstreams: z.record(identifier, UpstreamSpec).default({}).describe("Named groups of targets."),
  routes: z.array(RouteDocument).default([]).describe("Which requests go where."),
  ...SETTINGS,
});
