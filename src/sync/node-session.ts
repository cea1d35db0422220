/**
 * The data plane's half of the protocol, as a pure function: no socket, clock, disk or chance in it.
 *
 * The link goes down → (waiting →) opening → greeting → live and back to waiting. It is live only once the control plane
 * has accepted the hello: with a welcome, or as an original control plane with its first update or five seconds of silence,
 * which is how an original one says "you are level".
 *
 * What the node does with the configuration that it is sent is in node-intake.ts.
 */
import { DELTA_CAPABILITY, type FromControlPlane, type Hello, SNAPSHOT_CAPABILITY } from "./messages.ts";
import { applied, collect, takeDelta, takeOriginal } from "./node-intake.ts";
import {
  after,
  beat,
  knownAddresses,
  type Moment,
  type NodeEffect,
  type NodeEvent,
  type NodeIdentity,
  type NodeOccurrence,
  type NodeState,
  type NodeStep,
  type NodeTimer,
  type Peer,
  reported,
  still,
} from "./node-state.ts";
import { MAX_COME_BACK_MS, reconnectDelayMs } from "./retry-delay.ts";
import { describePartial } from "./transfer.ts";

/** A connection attempt that takes longer is given up. */
const OPENING_LIMIT_MS = 20_000;
/** A control plane that is silent for so long after the hello is an original one. */
const GREETING_LIMIT_MS = 5_000;
/** A connection that held for so long starts the counting of failures anew. */
export const LASTING_MS = 10_000;

export function stepNode(node: NodeIdentity, state: NodeState, event: NodeEvent): NodeStep {
  switch (event.type) {
    case "start":
      return state.link.phase === "down" ? connect(node, state) : still(state);
    case "stop":
      return {
        // What waits is not begun any more; what is being applied is finished.
        state: { ...state, link: { phase: "down" }, pending: undefined },
        effects: [{ type: "disconnect" }, ...clear("reconnect", "opening", "greeting", "heartbeat")],
      };
    case "opened":
      return opened(node, state);
    case "closed":
      return closed(node, state, event);
    case "received":
      return received(node, state, event.message, event.atMs);
    case "applied":
      return applied(node, state, event.outcome);
    case "resync":
      return resync(node, state);
    case "timer":
      return timerFired(node, state, event);
  }
}

/** What is on its way or waits builds on what is doubted, or is it. */
function resync(node: NodeIdentity, state: NodeState): NodeStep {
  const doubting: NodeState = { ...state, isDoubted: true, held: undefined, transfer: undefined };
  return { state: doubting, effects: state.link.phase === "live" ? beat(node, doubting) : [] };
}

// ---- the link ---------------------------------------------------------------------------------------------------------

function connect(node: NodeIdentity, state: NodeState): NodeStep {
  const addresses = knownAddresses(node, state);
  const address = addresses[state.nextAddress % addresses.length]!;
  return {
    state: { ...state, link: { phase: "opening", address } },
    effects: [
      { type: "connect", address },
      { type: "set timer", timer: "opening", delayMs: OPENING_LIMIT_MS },
    ],
  };
}

function opened(node: NodeIdentity, state: NodeState): NodeStep {
  if (state.link.phase !== "opening") return still(state);
  return {
    state: { ...state, link: { phase: "greeting", address: state.link.address } },
    effects: [
      ...clear("opening"),
      { type: "send", message: hello(node, state) },
      { type: "set timer", timer: "greeting", delayMs: GREETING_LIMIT_MS },
    ],
  };
}

function hello(node: NodeIdentity, state: NodeState): Hello {
  return {
    type: "hello",
    nodeId: node.nodeId,
    version: node.version,
    hostname: node.hostname,
    running: reported(state),
    originalHash: state.originalHash,
    capabilities: [SNAPSHOT_CAPABILITY, ...(node.takesDeltas ? [DELTA_CAPABILITY] : []), ...node.rpcPrefixes],
    encodings: node.encodings,
    labels: node.labels,
    plugins: node.plugins,
    instanceId: node.instanceId,
    heartbeatIntervalMs: node.heartbeatIntervalMs,
    partial: describePartial(state.transfer),
  };
}

function accepted(node: NodeIdentity, state: NodeState, peer: Peer, atMs: number): NodeStep {
  const { link } = state;
  if (link.phase !== "greeting" && link.phase !== "live") return still(state);
  if (link.phase === "live" && link.peer === peer) return still(state);
  const live: NodeState = {
    ...state,
    link: { phase: "live", address: link.address, peer, sinceMs: atMs },
    askedUntilMs: peer === "runway" ? 0 : state.askedUntilMs,
    lastLinkError: "",
  };
  return { state: live, effects: [...clear("greeting"), ...beat(node, live)] };
}

type Closing = Moment & Pick<NodeOccurrence & { type: "closed" }, "reason" | "comeBackAfterMs">;

function closed(node: NodeIdentity, state: NodeState, closing: Closing): NodeStep {
  const { link } = state;
  const { reason, comeBackAfterMs, atMs, random } = closing;
  if (link.phase === "down" || link.phase === "waiting") return still(state);
  // A control plane that was slow to answer is taken for an original one, until it says after all that the node is not let in.
  const wasLetIn = link.phase === "live" && comeBackAfterMs === undefined;
  const lasted = wasLetIn && atMs - link.sinceMs >= LASTING_MS;
  const failures = lasted ? 0 : state.failures + 1;
  const awaySinceMs = lasted ? atMs : (state.awaySinceMs ?? atMs);
  // What one control plane asked for is kept to also when another is tried in between, in vain.
  const askedUntilMs = Math.max(state.askedUntilMs, atMs + Math.min(comeBackAfterMs ?? 0, MAX_COME_BACK_MS));
  const askedMs = askedUntilMs - atMs;
  const { retryIntervalMs } = node;
  const terms = { failures, addresses: knownAddresses(node, state).length, retryIntervalMs, askedMs };
  const delayMs = reconnectDelayMs({ ...terms, awayMs: atMs - awaySinceMs }, random);
  return {
    state: {
      ...state,
      link: { phase: "waiting" },
      failures,
      awaySinceMs,
      askedUntilMs,
      nextAddress: state.nextAddress + 1,
      lastLinkError: reason,
    },
    effects: [...clear("opening", "greeting", "heartbeat"), { type: "set timer", timer: "reconnect", delayMs }],
  };
}

function timerFired(node: NodeIdentity, state: NodeState, event: NodeEvent & { type: "timer" }): NodeStep {
  const { phase } = state.link;
  switch (event.timer) {
    case "reconnect":
      return phase === "waiting" ? connect(node, state) : still(state);
    case "opening": {
      if (phase !== "opening") return still(state);
      const step = closed(node, state, { ...event, reason: `no connection within ${OPENING_LIMIT_MS} ms` });
      return { state: step.state, effects: [{ type: "disconnect" }, ...step.effects] };
    }
    case "greeting":
      return phase === "greeting" ? accepted(node, state, "original", event.atMs) : still(state);
    case "heartbeat":
      return phase === "live" ? { state, effects: beat(node, state) } : still(state);
  }
}

function received(node: NodeIdentity, state: NodeState, message: FromControlPlane, atMs: number): NodeStep {
  if (state.link.phase !== "greeting" && state.link.phase !== "live") return still(state);
  switch (message.type) {
    case "welcome": {
      const learning: NodeState = { ...state, learned: message.addresses };
      const { state: live, effects } = accepted(node, learning, "runway", atMs);
      return { state: live, effects: [{ type: "welcomed", rpcPrefixes: message.capabilities }, ...effects] };
    }
    case "rpc":
      return isLive(state, "runway") ? { state, effects: [{ type: "rpc", frame: message.frame }] } : still(state);
    case "chunk":
      return isLive(state, "runway") ? collect(node, state, message) : still(state);
    case "delta":
      return isLive(state, "runway") ? takeDelta(node, state, message) : still(state);
    case "original": {
      if (isLive(state, "runway")) return still(state);
      const step = accepted(node, state, "original", atMs);
      return after(step, (next) => takeOriginal(node, next, message));
    }
  }
}

function isLive({ link }: NodeState, peer: Peer): boolean {
  return link.phase === "live" && link.peer === peer;
}

function clear(...timers: readonly NodeTimer[]): NodeEffect[] {
  return timers.map((timer) => ({ type: "clear timer", timer }));
}
