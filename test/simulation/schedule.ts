import { SimulatedControlPlane } from "./simulated-control-plane.ts";
import { SimulatedNode } from "./simulated-node.ts";
import { MAX_VERSION, PROTOCOL, type Protocol, type Tally, Violation, World } from "./world.ts";

/** How long faults last, and how long the fleet has afterwards to come level. Longer than the longest pause of the protocol. */
const FAULTS_MS = 60_000;
const RECOVERY_MS = 600_000;
const LOOK_EVERY_MS = 1_000;

export function emptyTally(): Tally {
  const refusals = { refusals: 0, staleOffers: 0, integrityRefusals: 0, deltaRefusals: 0 };
  const starts = { crashes: 0, poisonings: 0, passedOver: 0 };
  return {
    applies: 0,
    ...refusals,
    resumedTransfers: 0,
    deltas: 0,
    deferrals: 0,
    withheld: 0,
    moves: 0,
    cuts: 0,
    ...starts,
  };
}

/**
 * Runs one schedule: for a while two control planes commit to one log while connections are cut, processes crash and
 * restart, applies are slow or fail, some versions bring nodes down, one node has an older program and is not given every version, bytes change on the way, clocks run at different speeds,
 * nodes are told to come back later, and a control plane is stopped for a while or hears late of what the other committed.
 * Then the faults stop, and every node must come to the newest version.
 *
 * @throws Violation as soon as an invariant does not hold
 */
export function runSchedule(seed: number, protocol: Protocol = PROTOCOL, tally: Tally = emptyTally()): void {
  const world = new World(seed, protocol, tally);
  const { random, time } = world;
  const [one, other] = [new SimulatedControlPlane(world), new SimulatedControlPlane(world)];
  const controlPlanes = new Map([
    ["cp-1", one],
    ["cp-2", other],
  ]);
  const nodes = [
    new SimulatedNode("n-1", "newest", world, controlPlanes),
    new SimulatedNode("n-2", "older", world, controlPlanes),
  ];

  const versions = 2 + random.below(MAX_VERSION - 1);
  if (random.chance(0.2)) world.poisonous.add(1 + random.below(versions - 1));
  for (let version = 1; version <= versions; version += 1) {
    if (version < versions && random.chance(0.15)) world.invalid.add(version);
    if (version < versions && random.chance(0.15)) world.withheld.add(version);
    time.at(random.between(0, FAULTS_MS), () => {
      world.committed += 1;
      // One commits and knows at once; the other is told soon, or finds out when it looks by itself, or later still.
      const committing = random.chance(0.5) ? one : other;
      committing.refresh();
      const isTold = random.chance(0.3);
      time.after(random.between(0, isTold ? 100 : 30_000), () => (committing === one ? other : one).refresh());
    });
  }
  for (const node of nodes) {
    time.at(random.between(0, 2_000), () => node.start());
    plan(world, 1.2, () => {
      node.crash();
      time.after(random.between(0, 5_000), () => node.start());
    });
    // In some, so that the others are the schedules that they were.
    if (seed % 4 === 1) plan(world, 1, () => node.resync());
  }
  for (const controlPlane of [one, other]) {
    plan(world, 0.7, () => {
      if (!controlPlane.isUp) return;
      controlPlane.crash();
      time.after(random.between(0, 8_000), () => controlPlane.restart());
    });
    plan(world, 0.5, () => controlPlane.pause(random.between(1_000, 40_000)));
  }

  while (time.advance(FAULTS_MS + 45_000));
  world.isFaulty = false;
  one.refresh();
  other.refresh();
  if (world.committed !== versions) throw new Error("the schedule did not commit every version");
  recover(world, nodes, controlPlanes.values());
}

function recover(world: World, nodes: readonly SimulatedNode[], controlPlanes: Iterable<SimulatedControlPlane>): void {
  const everyone = [...controlPlanes];
  const { time } = world;
  const endMs = time.nowMs + RECOVERY_MS;
  const isLevel = (node: SimulatedNode): boolean =>
    node.runs(world.committed) && everyone.some((controlPlane) => controlPlane.seesInSync(node.nodeId));
  for (let lookMs = time.nowMs; lookMs < endMs; lookMs += LOOK_EVERY_MS) {
    while (time.advance(lookMs));
    if (nodes.every(isLevel)) return;
  }
  const late = nodes.filter((node) => !isLevel(node)).map(({ nodeId }) => nodeId);
  throw new Violation(`${late.join(", ")} did not come level with version ${world.committed}`);
}

/** Lets something happen about `times` times while there are faults. */
function plan({ random, time }: World, times: number, happen: () => void): void {
  for (let left = times; left > 0; left -= 1)
    if (random.chance(Math.min(1, left))) time.at(random.between(3_000, FAULTS_MS - 5_000), happen);
}
