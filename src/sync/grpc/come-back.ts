import { Metadata } from "@grpc/grpc-js";

/** The trailer by which a gRPC server says when it wants to be tried again (gRFC A6, "pushback"), in milliseconds. */
const TRAILER = "grpc-retry-pushback-ms";

export function writeComeBack(afterMs: number): Metadata {
  const metadata = new Metadata();
  metadata.set(TRAILER, String(Math.ceil(afterMs)));
  return metadata;
}

/** Undefined when the server did not say. */
export function readComeBack(metadata: Metadata | undefined): number | undefined {
  const text = metadata?.get(TRAILER)[0];
  return typeof text === "string" && /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}
