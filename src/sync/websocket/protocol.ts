/**
 * The cluster protocol over WebSocket (RFC 6455), where every text frame is JSON-RPC 2.0: a session message is the method of its
 * name under `runway.sync.v1`. The hello is a request, and its result the welcome; all else are notifications. Other methods
 * are remote calls, handed on as they are.
 */
export const WEBSOCKET_PATH = "/runway.sync.v1";
/** Agreed on when the WebSocket is opened, so that neither side speaks to something else by mistake. */
export const SUBPROTOCOL = "runway.sync.v1";
export const METHOD_PREFIX = "runway.sync.v1.";
export const HELLO_ID = "hello";

/** The original protocol's numbers, as over gRPC: how often to ask whether the other side is there, and how long to wait. */
export const KEEPALIVE = {
  controlPlane: { everyMs: 15_000, answerWithinMs: 5_000 },
  dataPlane: { everyMs: 10_000, answerWithinMs: 3_000 },
} as const;

/** A close frame has room for 123 octets of reason (RFC 6455 §5.5). */
export const MAX_CLOSE_REASON_BYTES = 123;
