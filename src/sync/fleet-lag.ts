/**
 * What becomes of a node that stays behind: part of the pure session (fleet-session.ts), looked at after each event.
 *
 * A node that is behind has its time. Level, or a version further on, it has it anew, so that steady changes make nobody late. When
 * the time is over that is an alarm, once, and the node is offered everything anew, again and again with pauses that double. What is on
 * its way to it then is left to its own time limit, and what cannot be sent to it is not.
 */
import {
  type ControlPlaneIdentity,
  type FleetEffect,
  type FleetState,
  type FleetStep,
  isAhead,
  isInSync,
} from "./fleet-state.ts";

const LONGEST_PAUSE_MS = 900_000;

export function watchLag(cp: ControlPlaneIdentity, state: FleetState, atMs: number): FleetStep {
  const isBehind = !isInSync(state) && !isAhead(state);
  const version = state.running?.version ?? 0;
  const isKnown = isBehind ? state.behind?.version === version : state.behind === undefined;
  if (state.phase !== "live" || isKnown) return { state, effects: [] };
  const over: FleetEffect[] = state.pushes > 0 ? [{ type: "alarm", isBehind: false }] : [];
  const timer: FleetEffect = isBehind
    ? { type: "set timer", timer: "behind", delayMs: cp.behindLimitMs }
    : { type: "clear timer", timer: "behind" };
  const behind = isBehind ? { sinceMs: atMs, version } : undefined;
  return { state: { ...state, behind, pushes: 0 }, effects: [timer, ...over] };
}

/** The time is over. */
export function alarmed(cp: ControlPlaneIdentity, state: FleetState): FleetStep {
  if (state.behind === undefined) return { state, effects: [] };
  const pushes = state.pushes + 1;
  const delayMs = Math.min(LONGEST_PAUSE_MS, cp.behindLimitMs * 2 ** Math.min(pushes, 16));
  const alarm: FleetEffect[] = pushes === 1 ? [{ type: "alarm", isBehind: true }] : [];
  return {
    state: { ...state, pushes, wantsSnapshot: true },
    effects: [...alarm, { type: "set timer", timer: "behind", delayMs }],
  };
}
