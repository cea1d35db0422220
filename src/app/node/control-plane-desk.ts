import type { ConfigurationChange } from "../../admin/configuration-change.ts";
import type {
  ChangeTerms,
  ConfigurationDesk,
  ConfigurationEdit,
  ConfigurationPush,
  CurrentConfiguration,
} from "../../admin/configuration-desk.ts";
import type { RunningConfiguration } from "../../admin/node-control.ts";
import type { ReloadDesk } from "../../admin/reload-desk.ts";
import type { ReloadHistory } from "../../admin/reload-history.ts";
import { deltaBetween, effectiveDelta } from "../../config/delta.ts";
import { describeChange } from "../../config/difference.ts";
import { parseDocument, toResources } from "../../config/document.ts";
import type { Language } from "../../config/language.ts";
import { type Checked, describeProblem } from "../../config/problem.ts";
import { rankDelta } from "../../config/rank-delta.ts";
import type { Resource } from "../../config/resource.ts";
import type {
  CommitContent,
  CommitRequest,
  CommitResult,
  CommitTerms,
  Revision,
  RevisionLog,
} from "../../config/revision-log.ts";
import { RoutePaths } from "../../config/route-paths.ts";
import { stateHash } from "../../config/state-hash.ts";
import { NO_VARIABLES } from "../../config/variables.ts";
import type { Clock } from "../../core/clock.ts";
import { RunwayError } from "../../core/failure.ts";
import type { Logger } from "../../core/ports.ts";
import type { FleetSource } from "../../sync/edition.ts";
import { logApplied } from "./applied-log.ts";
import type { Gateway, PreparedChange } from "./gateway.ts";
import { Turnstile } from "./turnstile.ts";

const MAX_EDIT_ATTEMPTS = 5;

export interface ControlPlaneDeskOptions {
  readonly log: RevisionLog;
  readonly language: Language;
  readonly gateway: Gateway;
  /** What the file holds now. */
  readonly readFile: () => Promise<Checked<readonly Resource[]>>;
  /**
   * Whether other control planes write the log too, perhaps with other files: then the file begins the log, and later
   * counts only when somebody says so.
   */
  readonly isShared: boolean;
  /** Gives a version to the fleet, with what made it of the one that was given before. */
  readonly publish: (revision: Revision, change: FleetSource["change"]) => void;
  readonly history: ReloadHistory;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * The one place where a control plane's configuration changes, whether by its file or by the admin API. One change at a
 * time: check, prepare here, commit, go live here, give to the fleet. Up to the commit a failure leaves all as it was.
 */
export class ControlPlaneDesk implements ConfigurationDesk, ReloadDesk {
  readonly #options: ControlPlaneDeskOptions;
  readonly #turnstile = new Turnstile();
  readonly #paths = new RoutePaths();
  /** The version that was given to the fleet last. */
  #published: Revision | undefined;

  constructor(options: ControlPlaneDeskOptions) {
    this.#options = options;
  }

  /** Brings the newest version to life: the file's when the file has changed, else what the log holds. */
  open(file: readonly Resource[]): Promise<ConfigurationChange> {
    return this.#recorded(() => this.#open(file));
  }

  async #open(file: readonly Resource[]): Promise<ConfigurationChange> {
    const { log, isShared, logger } = this.#options;
    const before = await log.head();
    const opening = { author: "file", source: before === undefined ? "init" : "file", message: "" } as const;
    if (before === undefined || !isShared) {
      const changed = await this.#change({ resources: file }, opening);
      if (this.#published !== undefined || changed.outcome !== "accepted") return changed;
    } else if ((await log.lastFromFile()) !== stateHash(file))
      logger.warn("The file is not what the shared store was begun with, and is not read: say reload to take it");
    const head = await log.head();
    return this.#bringToLife(head!);
  }

  /** Runs a version and gives it to the fleet, which gets it also when this control plane itself cannot run it. */
  async #bringToLife(head: Revision): Promise<ConfigurationChange> {
    const { gateway, log, logger } = this.#options;
    const { version, hash } = head;
    const { version: published, hash: from } = this.#published ?? { version: 0, hash: 0n };
    const delta = await log.delta(published, version);
    const prepared = await gateway.prepare(head, delta && { from, delta });
    if (prepared.ok) logApplied(logger, head, await prepared.value.commit());
    this.#publish(head, delta && { fromVersion: published, delta });
    const timestampMs = this.#now();
    if (!prepared.ok) return { outcome: "refused", timestampMs, problems: prepared.problems };
    const changes = (delta?.changes ?? []).map(describeChange);
    return { outcome: "accepted", timestampMs, changes, version, hash };
  }

  /** Takes over what another control plane committed; what was published already, or is older, changes nothing. */
  async adopt(head: Revision): Promise<void> {
    if (!this.#isNews(head)) return;
    await this.#turnstile.run(async () => {
      if (!this.#isNews(head)) return;
      const { logger, history } = this.#options;
      const { version, author, source } = head;
      const change = await this.#bringToLife(head);
      history.record(change);
      logger.info("A version of another control plane was taken over", { version, author, source });
      if (change.outcome !== "accepted")
        logger.error("This control plane cannot run the version itself; its nodes were given it", {
          version,
          problems: change.problems.map(describeProblem).slice(0, 5),
        });
    });
  }

  #isNews({ version }: Revision): boolean {
    return version > (this.#published?.version ?? 0);
  }

  /** @param step what made it of the version that was published last, if that is so */
  #publish(revision: Revision, step?: FleetSource["change"]): void {
    const before = this.#published;
    this.#published = revision;
    const isStep = before !== undefined && step?.fromVersion === before.version;
    const compared = () =>
      before && { fromVersion: before.version, delta: deltaBetween(before.resources, revision.resources) };
    this.#options.publish(revision, isStep ? step : compared());
  }

  async current(): Promise<CurrentConfiguration> {
    const head = await this.head();
    const { epoch, version, hash, committedAt, source, resources } = head;
    return { epoch, version, hash, committedAtMs: committedAt, source, resources };
  }

  /** What was given to the fleet last. */
  get published(): RunningConfiguration["version"] {
    const { epoch, version: number, hash } = this.#published ?? {};
    return epoch === undefined || number === undefined || hash === undefined ? undefined : { epoch, number, hash };
  }

  /** While the store is away, what the fleet was given last. */
  async #newest(): Promise<Revision | undefined> {
    try {
      return await this.#options.log.head();
    } catch (error) {
      if (this.#published === undefined) throw error;
      return this.#published;
    }
  }

  push(push: ConfigurationPush): Promise<ConfigurationChange> {
    return push.dryRun ? this.#turnstile.run(() => this.#push(push)) : this.#recorded(() => this.#push(push));
  }

  async #push({ yaml, author, message, dryRun, expectedVersion }: ConfigurationPush): Promise<ConfigurationChange> {
    const document = parseDocument(this.#options.language, yaml, { env: NO_VARIABLES });
    if (!document.ok) return { outcome: "invalid", timestampMs: this.#now(), problems: document.problems };
    const expected = expectedVersion === undefined ? {} : { expectedVersion };
    const request = { author, source: "admin-api", message: message ?? "", dryRun, ...expected } as const;
    return this.#change({ resources: toResources(document.value) }, request);
  }

  async head(): Promise<Revision> {
    const head = await this.#newest();
    if (head === undefined) throw new RunwayError("notFound", "There is no configuration yet.");
    return head;
  }

  edit(edit: ConfigurationEdit, terms: ChangeTerms): Promise<ConfigurationChange> {
    const change = () => this.#edit(edit, terms);
    return terms.dryRun ? this.#turnstile.run(change) : this.#recorded(change);
  }

  /** Again from the newest version when another control plane made one meanwhile, unless the caller depends on one. */
  async #edit(edit: ConfigurationEdit, terms: ChangeTerms, attempts = MAX_EDIT_ATTEMPTS): Promise<ConfigurationChange> {
    const head = await this.#options.log.head();
    if (head === undefined) throw new RunwayError("notFound", "There is no configuration yet.");
    const { version, resources } = head;
    if (terms.expectedVersion !== undefined && terms.expectedVersion !== version)
      throw new RunwayError("versionConflict", `The current version is ${version}.`);
    const delta = effectiveDelta(resources, rankDelta(resources, await edit(head), this.#paths));
    try {
      const request = { ...terms, source: "admin-api", expectedVersion: version } as const;
      const change = await this.#change({ delta }, request, true);
      return change.outcome === "accepted" ? { ...change, delta } : change;
    } catch (error) {
      const isRace = error instanceof RunwayError && error.kind === "versionConflict";
      if (!isRace || terms.expectedVersion !== undefined || attempts <= 1) throw error;
      return this.#edit(edit, terms, attempts - 1);
    }
  }

  reload(): Promise<ConfigurationChange> {
    return this.#recorded(async () => {
      const file = await this.#options.readFile();
      if (!file.ok) return { outcome: "invalid", timestampMs: this.#now(), problems: file.problems };
      return this.#change({ resources: file.value }, { author: "file", source: "file", message: "" });
    });
  }

  async #recorded(change: () => Promise<ConfigurationChange>): Promise<ConfigurationChange> {
    const made = await this.#turnstile.run(change);
    this.#options.history.record(made);
    return made;
  }

  /** @param rehearsed whether a dry run also finds out if it could be applied here */
  async #change(content: CommitContent, terms: CommitTerms, rehearsed = false): Promise<ConfigurationChange> {
    const { log, gateway, logger } = this.#options;
    const request: CommitRequest = { ...terms, ...content };
    const trial = await log.commit({ ...request, dryRun: true });
    if (terms.dryRun === true && !(rehearsed && trial.created)) return this.#accepted(trial);
    if (!trial.created) return this.#accepted(await log.commit(request));
    const { from, delta, revision } = trial;
    const prepared = await gateway.prepare(revision, { from, delta });
    if (!prepared.ok) return { outcome: "refused", timestampMs: this.#now(), problems: prepared.problems };
    if (terms.dryRun === true) {
      await prepared.value.abort();
      return this.#accepted(trial);
    }
    const committed = await this.#commit(request, prepared.value);
    logApplied(logger, committed.revision, await prepared.value.commit());
    this.#publish(committed.revision, { fromVersion: committed.revision.version - 1, delta: committed.delta });
    return this.#accepted(committed);
  }

  async #commit(request: CommitRequest, prepared: PreparedChange): Promise<CommitResult> {
    try {
      return await this.#options.log.commit(request);
    } catch (error) {
      await prepared.abort();
      throw error;
    }
  }

  #accepted({ revision, changes }: CommitResult): ConfigurationChange {
    const { version, hash } = revision;
    return { outcome: "accepted", timestampMs: this.#now(), changes: changes.map(describeChange), version, hash };
  }

  #now(): number {
    return this.#options.clock.now();
  }
}
