import { z } from "zod";
import { duration, identifier, listenAddress } from "./scalars.ts";

const HttpLimits = z.strictObject({
  read_header_timeout: duration
    .prefault("30s")
    .describe("How long the head of a request may take to arrive; then 408."),
  read_timeout: duration.prefault("30s").describe("How long the body of a request may pause; then 408."),
  write_timeout: duration
    .prefault("30s")
    .describe("How long a client may read nothing of a response; then the connection is closed."),
  idle_timeout: duration
    .prefault("60s")
    .describe("How long a connection may wait for its next request; then it is closed."),
  max_header_bytes: z
    .int()
    .min(1_024)
    .max(1_048_576)
    .default(16_384)
    .describe("Bytes that the head of a request may have; more is 431, or 414 when the first line alone is longer."),
});

export const ListenerSpec = z.strictObject({
  address: listenAddress.describe(
    "Where to listen: host:port, or :port for every interface. Port 0 lets the system choose.",
  ),
  protocol: z.enum(["http"]).default("http").describe("What is spoken."),
  http: HttpLimits.prefault({}).describe("Limits of HTTP connections."),
});

export type Listener = z.output<typeof ListenerSpec> & { readonly id: string };
export const ListenerDocument = ListenerSpec.extend({
  id: identifier.describe("Stable name, unique among listeners."),
});
