import { SimulatedControlPlane } from "./simulated-control-plane.ts";
import { SimulatedNode } from "./simulated-node.ts";
import { MAX_VERSION, PROTOCOL, type Protocol, type Tally, Violation, World } from "./world.ts";

/** How long faults last, and how long the fleet has afterwards to come level. Longer than the longest pause of the protocol. */
const FAULTS_MS = 60_000;
const RECOVERY_MS = 600_000;
const LOOK_EVERY_MS = 1_000;

export function emptyTally(): Tally {
  const refusals = { refusals: 0, staleOffers: 0, integrityRefusals: 0, deltaRefusals: 0 };
  return { applies: 0, ...refusals, resumedTransfers: 0, deltas: 0, cuts: 0, crashes: 0 };
}

/**
 * Runs one schedule: for a while versions are committed while connections are cut, processes crash and restart, applies are
 * slow or fail, bytes change on the way, clocks run at different speeds and a second control plane of the same epoch is
 * paused and knows only old versions. Then the faults stop, and every node must come to the newest version.
 *
 * @throws Violation as soon as an invariant does not hold
 */
export function runSchedule(seed: number, protocol: Protocol = PROTOCOL, tally: Tally = emptyTally()): void {
  const world = new World(seed, protocol, tally);
  const { random, time } = world;
  const primary = new SimulatedControlPlane(world);
  const paused = new SimulatedControlPlane(world);
  const controlPlanes = new Map([
    ["cp-1", primary],
    ["cp-2", paused],
  ]);
  const nodes = ["n-1", "n-2", "n-3"].map((nodeId) => new SimulatedNode(nodeId, world, controlPlanes));

  const versions = 2 + random.below(MAX_VERSION - 1);
  for (let version = 1; version <= versions; version += 1) {
    if (version < versions && random.chance(0.15)) world.invalid.add(version);
    time.at(random.between(0, FAULTS_MS), () => {
      world.committed += 1;
      primary.refresh();
      if (random.chance(0.3)) paused.refresh();
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
  plan(world, 1, () => {
    if (!primary.isUp) return;
    primary.crash();
    time.after(random.between(0, 8_000), () => primary.restart());
  });

  while (time.advance(FAULTS_MS + 10_000));
  world.isFaulty = false;
  primary.refresh();
  paused.refresh();
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
