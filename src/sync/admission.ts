import type { PeerCertificate } from "./connection.ts";
import { isSameStamp } from "./delta-history.ts";
import type { Refusal } from "./fleet-state.ts";
import type { FleetStream } from "./fleet-stream.ts";
import type { Hello } from "./messages.ts";
import { judgeClaim, type Verdict } from "./node-identity.ts";
import type { NodeRoster } from "./node-roster.ts";
import type { Publication } from "./publication.ts";
import type { SendTurns } from "./send-turns.ts";

export interface AdmissionRules {
  /** The only trust domain of node certificates; undefined accepts any that the CA signed for. */
  readonly trustDomain?: string | undefined;
  /** Why a certificate that was verified may not speak for the node all the same: it was revoked. */
  readonly revocationOf?: (nodeId: string, certificate: PeerCertificate) => string | undefined;
  /** Streams that wait for their turn to be sent a configuration. Beyond it a node that comes and is not level is told to come back later. */
  readonly maxWaitingSends?: number;
}

/** What a node that has to come back is told at least and at most. */
const COME_BACK_MS = { least: 1_000, most: 60_000 } as const;

/** Who may come in, and who has to go. Judges, and changes nothing. */
export class Admission {
  readonly #rules: AdmissionRules;
  readonly #roster: NodeRoster;
  readonly #turns: SendTurns;
  readonly #newestFor: (hello: Hello) => Publication | undefined;

  constructor(
    rules: AdmissionRules,
    roster: NodeRoster,
    turns: SendTurns,
    newestFor: (hello: Hello) => Publication | undefined,
  ) {
    this.#rules = rules;
    this.#roster = roster;
    this.#turns = turns;
    this.#newestFor = newestFor;
  }

  judge(stream: FleetStream, hello: Hello): Verdict {
    const { nodeId } = hello;
    const revoked = this.revocationOf(stream, nodeId);
    if (revoked !== undefined) return { allowed: false, kind: "certificateRevoked", detail: revoked };
    const owner = this.#roster.ownerOf(nodeId);
    const verdict = judgeClaim(nodeId, stream.peer.certificate, owner, this.#rules.trustDomain);
    if (!verdict.allowed) return verdict;
    const refusal = this.#overloadFor(hello) ?? twinOf(this.#roster.streamOf(nodeId), hello) ?? this.#fullFor(nodeId);
    return refusal === undefined ? verdict : { allowed: false, ...refusal };
  }

  /** Whoever has the key of a certificate that was revoked may be who had it renewed. */
  revocationOf({ peer, certificate }: FleetStream, nodeId: string): string | undefined {
    const { revocationOf } = this.#rules;
    return revocationOf?.(nodeId, peer.certificate) ?? revocationOf?.(nodeId, certificate);
  }

  /** A node that is level costs nothing more once it is here; any other waits here, or elsewhere when too many do. */
  #overloadFor(hello: Hello): Refusal | undefined {
    const { maxWaitingSends = 1_024 } = this.#rules;
    const newest = this.#newestFor(hello);
    const isLevel = newest === undefined || newest.obstacle !== "" || isSameStamp(newest.stamp, hello.running);
    if (isLevel || !this.#turns.isFull || this.#turns.waiting < maxWaitingSends) return undefined;
    const comeBackAfterMs = Math.min(COME_BACK_MS.most, Math.max(COME_BACK_MS.least, this.#turns.backlogMs));
    const detail = `${this.#turns.waiting} nodes wait to be sent the configuration; come back in ${Math.ceil(comeBackAfterMs)} ms`;
    return { kind: "overloaded", detail, comeBackAfterMs };
  }

  #fullFor(nodeId: string): Refusal | undefined {
    if (this.#roster.hasRoomFor(nodeId)) return undefined;
    return { kind: "overloaded", detail: `${this.#roster.maxNodes} nodes are connected, and no more fit` };
  }
}

/**
 * Whether another process already speaks for the node. The stream of a process that died is closed by its kernel at once,
 * and that of a machine that died by keepalive within 20 s, so an open stream that is not stale is a live process. A
 * restarted node is thus kept out for 20 s at worst, and goes on with its cache meanwhile.
 */
function twinOf(before: FleetStream | undefined, { nodeId, instanceId }: Hello): Refusal | undefined {
  if (before === undefined || !before.isOpen || before.isStale) return undefined;
  const { instanceId: known = "", hostname = "" } = before.state.hello ?? {};
  if (known === "" || instanceId === "" || known === instanceId) return undefined;
  const detail = `node ${nodeId} is already connected from ${hostname} (${before.peer.address}); give each node a node_id and cache_dir of its own`;
  return { kind: "identityRefused", detail };
}
