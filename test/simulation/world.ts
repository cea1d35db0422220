import { type Delta, deltaBetween } from "../../src/config/delta.ts";
import type { Resource } from "../../src/config/resource.ts";
import { createSnapshot, type Snapshot } from "../../src/config/snapshot.ts";
import type { Transport } from "../../src/sync/connection.ts";
import type { DeltaHistory } from "../../src/sync/delta-history.ts";
import { stepFleet } from "../../src/sync/fleet-session.ts";
import type { Chunk, DeltaUpdate, Encoding, FromControlPlane, FromNode, Stamp } from "../../src/sync/messages.ts";
import { stepNode } from "../../src/sync/node-session.ts";
import { Publication } from "../../src/sync/publication.ts";
import { SeededRandom } from "./seeded-random.ts";
import { bestOf } from "./simulated-disk.ts";
import { VirtualTime } from "./virtual-time.ts";
import { remembering, WIRES, type Wire } from "./wire.ts";

const EPOCH = "00000000-0000-4000-8000-000000000001";
export const MAX_VERSION = 8;
/** Small enough that every snapshot has several chunks. */
const CHUNK_BYTES = 96;

/** The protocol under test: its two halves, the codecs, and what stands beside them. A broken variant replaces one part. */
export interface Protocol {
  readonly stepNode: typeof stepNode;
  readonly stepFleet: typeof stepFleet;
  readonly wires: Readonly<Record<Transport, Wire>>;
  /** Whether a control plane takes over what another has committed. */
  readonly followsLog: boolean;
  /** Which of the generations on its disk a node starts with. */
  readonly chooseGeneration: typeof bestOf;
  /** Whether a node does not take what brought it down from a control plane either. */
  readonly remembersDeaths: boolean;
}

const REMEMBERING = { grpc: remembering(WIRES.grpc), websocket: remembering(WIRES.websocket) } as const;

export const PROTOCOL: Protocol = {
  ...{ stepNode, stepFleet, followsLog: true, chooseGeneration: bestOf, remembersDeaths: true },
  wires: REMEMBERING,
};

/** The programs of nodes: today's, and an older one that knows a part of each configuration and is given that. */
export type Program = "newest" | "older";

/** Everything that nodes with one program are sent. Shared, since it is frozen, and encoded once for all schedules. */
interface Edition {
  readonly snapshots: readonly Snapshot[];
  /** From each version to each later one. */
  readonly deltas: readonly (readonly Delta[])[];
  readonly publications: readonly Publication[];
  /** What each version is, as text. */
  readonly truth: readonly string[];
}

export const EDITIONS: Readonly<Record<Program, Edition>> = {
  newest: editionOf(() => true),
  older: editionOf(({ id }) => id !== "odd"),
};

/** Each version changes one of the first five resources, and one more comes and goes. */
function editionOf(isKnown: (resource: Resource) => boolean): Edition {
  const snapshots = Array.from({ length: MAX_VERSION + 1 }, (_, version) =>
    createSnapshot({ epoch: EPOCH, version, resources: resourcesOf(version).filter(isKnown) }),
  );
  const deltas = snapshots.map((before) => snapshots.map((after) => deltaBetween(before.resources, after.resources)));
  const publications = snapshots.map((snapshot) => {
    const since = ({ version }: Stamp): Delta => deltas[version]![snapshot.version]!;
    return new Publication({ snapshot, source: "init", timestampMs: 0, originalYaml: () => "", since }, CHUNK_BYTES);
  });
  return { snapshots, deltas, publications, truth: snapshots.map(({ resources }) => JSON.stringify(resources)) };
}

function resourcesOf(version: number): Resource[] {
  const lasting = [1, 2, 3, 4, 5].map((place) => route(`r${place}`, Math.floor((version + place) / 5)));
  return version % 2 === 0 ? lasting : [...lasting, route("odd", version)];
}

function route(id: string, round: number): Resource {
  return { kind: "route", id, spec: { path: `/${id}/${round}` } };
}

/** Of one control plane: it has the changes that its history has, and no others. */
class KnownPublication extends Publication {
  readonly #shared: Publication;
  readonly #history: DeltaHistory;

  constructor(snapshot: Snapshot, shared: Publication, history: DeltaHistory, obstacle: string) {
    super({ snapshot, source: "init", timestampMs: 0, originalYaml: () => "", obstacle });
    this.#shared = shared;
    this.#history = history;
  }

  override chunks(encoding: Encoding): readonly Chunk[] {
    return this.#shared.chunks(encoding);
  }

  override delta(base: Stamp, encoding: Encoding): DeltaUpdate | undefined {
    return this.#history.between(base, this.stamp) && this.#shared.delta(base, encoding);
  }
}

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
  deferrals: number;
  /** Nodes that were told of a version that they are not given. */
  withheld: number;
  poisonings: number;
  passedOver: number;
  moves: number;
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
  /** Versions that bring a node's process down soon after it began to run them. The last one is never among them. */
  readonly poisonous = new Set<number>();

  /** Versions that nodes with the older program must not be given. The last one is never among them. */
  readonly withheld = new Set<number>();

  constructor(seed: number, protocol: Protocol, tally: Tally) {
    this.random = new SeededRandom(seed);
    this.protocol = protocol;
    this.tally = tally;
  }

  fault(probability: number): boolean {
    return this.isFaulty && this.random.chance(probability);
  }

  /** @param history of the control plane that publishes it */
  publicationOf(version: number, program: Program, history: DeltaHistory): Publication {
    const { snapshots, publications } = EDITIONS[program];
    const obstacle = program === "older" && this.withheld.has(version) ? "it guards" : "";
    return new KnownPublication(snapshots[version]!, publications[version]!, history, obstacle);
  }

  /** Nothing may run, or be kept, that is not exactly what was committed as this version, as far as the program knows it, and valid. */
  checkState({ epoch, version, resources }: Snapshot, program: Program): void {
    if (epoch !== EPOCH || JSON.stringify(resources) !== EDITIONS[program].truth[version])
      throw new Violation(`a state runs as version ${version} that was never committed as it`);
    if (this.invalid.has(version)) throw new Violation(`version ${version} runs and was never valid`);
    if (program === "older" && this.withheld.has(version))
      throw new Violation(`version ${version} runs where it must not be given`);
  }

  /** What the wire, or a peer that lies, may make of a message. */
  tamper<Message extends FromNode | FromControlPlane>(message: Message): Message {
    if ((message.type !== "chunk" && message.type !== "delta") || !this.fault(0.03)) return message;
    const sent: Chunk | DeltaUpdate = message;
    if (sent.type === "delta" && this.random.chance(0.5)) return this.#mixUp(sent) as Message;
    if (this.random.chance(0.3)) return { ...message, stamp: { ...sent.stamp, hash: sent.stamp.hash ^ 1n } };
    const data = Buffer.from(sent.data);
    const digit = data.findIndex((byte, index) => index > 3 && byte >= 0x31 && byte <= 0x38);
    data[digit === -1 ? this.random.below(data.length) : digit]! ^= 1;
    return { ...message, data };
  }

  /** The change that was meant for somebody else: sound in itself, and of another base. */
  #mixUp(update: DeltaUpdate): DeltaUpdate {
    const { version, hash } = update.stamp;
    const { snapshots, publications } =
      EDITIONS.older.snapshots[version]?.hash === hash ? EDITIONS.older : EDITIONS.newest;
    const base = snapshots[this.random.below(version)]!;
    return publications[version]!.delta(base, update.encoding as Encoding) ?? update;
  }
}
