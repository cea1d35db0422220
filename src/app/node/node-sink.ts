import type { ConfigurationChange } from "../../admin/configuration-change.ts";
import type { ReloadHistory } from "../../admin/reload-history.ts";
import type { EffectiveDelta } from "../../config/delta.ts";
import { type Change, describeChange, difference } from "../../config/difference.ts";
import type { Language } from "../../config/language.ts";
import { readOriginalYaml } from "../../config/original-peer.ts";
import { type Checked, checked, type Problem } from "../../config/problem.ts";
import type { Resource } from "../../config/resource.ts";
import { createSnapshot, type Snapshot } from "../../config/snapshot.ts";
import { adjustStateHash, resourceHash } from "../../config/state-hash.ts";
import type { Clock } from "../../core/clock.ts";
import { FAILURES, type FailureKind } from "../../core/failure.ts";
import type { Logger } from "../../core/ports.ts";
import type { ApplySink } from "../../sync/agent.ts";
import type { NodeCache } from "../../sync/node-cache.ts";
import type { ApplyOutcome, Incoming } from "../../sync/node-state.ts";
import { describeSetAside } from "../../sync/set-aside.ts";
import { logApplied } from "./applied-log.ts";
import type { Gateway } from "./gateway.ts";
import type { Survival } from "./survival.ts";

export interface NodeSinkOptions {
  readonly language: Language;
  readonly gateway: Gateway;
  readonly cache: NodeCache;
  readonly survival: Survival;
  readonly history: ReloadHistory;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * What a data plane does with a configuration that it is given: check and prepare, keep on disk, go live. A disk that
 * takes nothing is told to everybody and stops nothing.
 */
export class NodeSink implements ApplySink {
  readonly #options: NodeSinkOptions;
  #running: readonly Resource[];

  /** @param running what the node serves already */
  constructor(options: NodeSinkOptions, running: readonly Resource[]) {
    this.#options = options;
    this.#running = running;
  }

  async apply(incoming: Incoming): Promise<ApplyOutcome> {
    const { gateway, cache, clock } = this.#options;
    const snapshot = readIncoming(this.#options.language, incoming);
    if (!snapshot.ok) return this.#refused("configurationInvalid", snapshot.problems);
    const setAside = cache.setAside().find(({ hash }) => hash === snapshot.value.hash);
    if (setAside !== undefined)
      return this.#refused("configurationRefused", [{ path: "", message: describeSetAside(setAside) }]);
    const delta = incoming.kind === "snapshot" ? incoming.delta : undefined;
    const step = delta && { from: hashBefore(snapshot.value, delta), delta };
    const prepared = await gateway.prepare(snapshot.value, step);
    if (!prepared.ok) return this.#refused("configurationRefused", prepared.problems);
    const keptFrom = clock.monotonicMs();
    await cache.save(snapshot.value, step);
    const persist = clock.monotonicMs() - keptFrom;
    const durationsMs = { ...(await prepared.value.commit()), persist };
    this.#applied(snapshot.value, delta?.changes, durationsMs);
    return { ok: true, stateHash: snapshot.value.hash, durationsMs };
  }

  #applied(
    snapshot: Snapshot,
    known: readonly Change[] | undefined,
    durationsMs: Readonly<Record<string, number>>,
  ): void {
    const { logger, history, survival, clock } = this.#options;
    survival.watch(snapshot);
    logApplied(logger, snapshot, durationsMs);
    const changes = (known ?? difference(this.#running, snapshot.resources)).map(describeChange);
    this.#running = snapshot.resources;
    const { version, hash } = snapshot;
    history.record({ outcome: "accepted", timestampMs: clock.now(), changes, version, hash });
  }

  #refused(kind: FailureKind, problems: readonly Problem[]): ApplyOutcome {
    const timestampMs = this.#options.clock.now();
    const outcome = kind === "configurationInvalid" ? "invalid" : "refused";
    this.#options.history.record({ outcome, timestampMs, problems } satisfies ConfigurationChange);
    return { ok: false, reason: FAILURES[kind].code, problems };
  }
}

/** Of the state that the delta starts from. */
function hashBefore({ hash }: Snapshot, { upserts, replaced }: EffectiveDelta): bigint {
  return adjustStateHash(hash, upserts.map(resourceHash), replaced.map(resourceHash));
}

/** A configuration of an original control plane has no epoch and no state hash of its own: the hash is computed here. */
function readIncoming(language: Language, incoming: Incoming): Checked<Snapshot> {
  if (incoming.kind === "snapshot") return checked(incoming.snapshot);
  const resources = readOriginalYaml(language, incoming.yaml);
  if (!resources.ok) return resources;
  return checked(createSnapshot({ epoch: "", version: incoming.version, resources: resources.value }));
}
