import { type Delta, deltaBetween } from "../../src/config/delta.ts";
import type { Resource } from "../../src/config/resource.ts";
import { createSnapshot, type Snapshot } from "../../src/config/snapshot.ts";
import { stepFleet } from "../../src/sync/fleet-session.ts";
import type { Chunk, DeltaUpdate, FromControlPlane, FromNode, Stamp } from "../../src/sync/messages.ts";
import { stepNode } from "../../src/sync/node-session.ts";
import { Publication } from "../../src/sync/publication.ts";
import { SeededRandom } from "./seeded-random.ts";
import { VirtualTime } from "./virtual-time.ts";

const EPOCH = "00000000-0000-4000-8000-000000000001";
export const MAX_VERSION = 8;
/** Small enough that every snapshot has several chunks. */
const CHUNK_BYTES = 96;

/** The two halves of the protocol under test; a broken variant wraps one of them. */
export interface Protocol {
  readonly stepNode: typeof stepNode;
  readonly stepFleet: typeof stepFleet;
}

export const PROTOCOL: Protocol = { stepNode, stepFleet };

/** Changes between more versions than these are not known, so that snapshots are sent too. */
const KNOWN_STEPS = 3;

/**
 * What every schedule commits: each version changes one of the first five resources, and one more comes and goes. Shared, since it is
 * frozen.
 */
const SNAPSHOTS: readonly Snapshot[] = Array.from({ length: MAX_VERSION + 1 }, (_, version) =>
  createSnapshot({ epoch: EPOCH, version, resources: resourcesOf(version) }),
);

function resourcesOf(version: number): Resource[] {
  const lasting = [1, 2, 3, 4, 5].map((place) => route(`r${place}`, Math.floor((version + place) / 5)));
  return version % 2 === 0 ? lasting : [...lasting, route("odd", version)];
}

function route(id: string, round: number): Resource {
  return { kind: "route", id, spec: { path: `/${id}/${round}` } };
}

const PUBLICATIONS: readonly Publication[] = SNAPSHOTS.map((snapshot) => {
  const since = (base: Stamp): Delta | undefined => {
    const before = SNAPSHOTS[base.version];
    const isKnown = before?.hash === base.hash && snapshot.version - base.version <= KNOWN_STEPS;
    return isKnown ? deltaBetween(before.resources, snapshot.resources) : undefined;
  };
  return new Publication({ snapshot, source: "init", timestampMs: 0, originalYaml: () => "", since }, CHUNK_BYTES);
});

const TRUTH: readonly string[] = SNAPSHOTS.map(({ resources }) => JSON.stringify(resources));

/** What an invariant that does not hold is thrown as. */
export class Violation extends Error {}

/** How often things happened, to show that the schedules are not idle. */
export interface Tally {
  applies: number;
  refusals: number;
  staleOffers: number;
  integrityRefusals: number;
  resumedTransfers: number;
  deltas: number;
  deltaRefusals: number;
  cuts: number;
  crashes: number;
}

/** What all parts of one schedule share: time, chance, the durable log and the faults. */
export class World {
  readonly random: SeededRandom;
  readonly time = new VirtualTime();
  readonly protocol: Protocol;
  readonly tally: Tally;
  /** The durable log: versions 1 to this. Survives every crash. */
  committed = 0;
  /** Faults happen while this holds. */
  isFaulty = true;
  /** Versions that no node accepts. The last one is never among them. */
  readonly invalid = new Set<number>();

  constructor(seed: number, protocol: Protocol, tally: Tally) {
    this.random = new SeededRandom(seed);
    this.protocol = protocol;
    this.tally = tally;
  }

  fault(probability: number): boolean {
    return this.isFaulty && this.random.chance(probability);
  }

  publicationOf(version: number): Publication {
    return PUBLICATIONS[version]!;
  }

  /** Nothing may run, or be kept, that is not exactly what was committed as this version, and valid. */
  checkState({ epoch, version, resources }: Snapshot): void {
    if (epoch !== EPOCH || JSON.stringify(resources) !== TRUTH[version])
      throw new Violation(`a state runs as version ${version} that was never committed as it`);
    if (this.invalid.has(version)) throw new Violation(`version ${version} runs and was never valid`);
  }

  /** What the wire, or a peer that lies, may make of a message. */
  tamper<Message extends FromNode | FromControlPlane>(message: Message): Message {
    if ((message.type !== "chunk" && message.type !== "delta") || !this.fault(0.03)) return message;
    const sent: Chunk | DeltaUpdate = message;
    if (this.random.chance(0.3)) return { ...message, stamp: { ...sent.stamp, hash: sent.stamp.hash ^ 1n } };
    const data = Buffer.from(sent.data);
    const digit = data.findIndex((byte, index) => index > 3 && byte >= 0x31 && byte <= 0x38);
    data[digit === -1 ? this.random.below(data.length) : digit]! ^= 1;
    return { ...message, data };
  }
}
