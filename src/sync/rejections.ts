import { FAILURES, type FailureKind } from "../core/failure.ts";
import type { FleetStream } from "./fleet-stream.ts";
import type { Stamp } from "./messages.ts";
import { type NodeView, type RejectionView, viewOfRejected } from "./node-view.ts";

/** A rejected node that has not tried again for so long is no longer listed. */
const REJECTION_MEMORY_MS = 600_000;
const MAX_REMEMBERED = 1_000;

/** Who was not let in lately, one entry for each node id, key and process. The longest silent one makes room. */
export class Rejections {
  readonly #byClaimant = new Map<string, { readonly stream: FleetStream; readonly view: RejectionView }>();

  add(stream: FleetStream, kind: FailureKind, detail: string, nowMs: number): void {
    const key = claimantOf(stream);
    const before = this.#byClaimant.get(key)?.view;
    const attempts = (before?.attempts ?? 0) + 1;
    const view = {
      code: FAILURES[kind].code,
      detail,
      attempts,
      firstAtMs: before?.firstAtMs ?? nowMs,
      lastAtMs: nowMs,
    };
    this.#byClaimant.delete(key);
    this.#byClaimant.set(key, { stream, view });
    for (const [oldest] of this.#byClaimant) {
      if (this.#byClaimant.size <= MAX_REMEMBERED) break;
      this.#byClaimant.delete(oldest);
    }
  }

  /**
   * Forgets the claims to this node id: those of one key, when its holder was let in, or all.
   * @returns whether there were any
   */
  clear(nodeId: string, keyFingerprint?: string): boolean {
    const before = this.#byClaimant.size;
    for (const [key, { stream }] of this.#byClaimant) {
      if (stream.state.hello?.nodeId !== nodeId) continue;
      if (keyFingerprint === undefined || stream.peer.certificate.keyFingerprint === keyFingerprint)
        this.#byClaimant.delete(key);
    }
    return this.#byClaimant.size < before;
  }

  views(newest: Stamp | undefined, nowMs: number): NodeView[] {
    return [...this.#byClaimant.values()]
      .filter(({ view }) => nowMs - view.lastAtMs < REJECTION_MEMORY_MS)
      .map(({ stream, view }) => viewOfRejected(stream, view, newest));
  }
}

function claimantOf({ state, peer }: FleetStream): string {
  return [state.hello?.nodeId, peer.certificate.keyFingerprint, state.hello?.instanceId].join("\n");
}
