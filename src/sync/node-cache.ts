import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseDocument, toResources } from "../config/document.ts";
import type { Language } from "../config/language.ts";
import { describeProblem } from "../config/problem.ts";
import { renderDocument } from "../config/render-document.ts";
import { createSnapshot, type Snapshot } from "../config/snapshot.ts";
import type { Logger } from "../core/ports.ts";
import { writeFileAtomically } from "./atomic-file.ts";
import { GenerationStore, isDamage } from "./generation-store.ts";
import type { Stamp } from "./messages.ts";

/**
 * What a node keeps on its disk to start without a control plane: the last generations of its configuration in `node.db`,
 * and the newest one as `config.yaml`, for people and for the day on which the database is damaged.
 *
 * A configuration can be valid and still bring the process down. So each start counts against the generation that it uses
 * until the process has lived for a minute with it, and a generation with three such starts is passed over for the one
 * before it. It is tried last all the same: anything is better than nothing.
 *
 * The disk is never a reason not to serve. What it refuses is kept as `error`, logged, and told to the control plane.
 */
export class NodeCache {
  readonly #language: Language;
  readonly #directory: string;
  readonly #logger: Logger;
  #store: GenerationStore | undefined;
  #error = "";

  constructor({
    language,
    directory,
    logger,
  }: {
    readonly language: Language;
    readonly directory: string;
    readonly logger: Logger;
  }) {
    this.#language = language;
    this.#directory = directory;
    this.#logger = logger;
  }

  /** Why the last thing to be kept was not; empty when it was. */
  get error(): string {
    return this.#error;
  }

  /** Opens what is there. A damaged database is moved aside. Does not throw: see `error`. */
  async open(): Promise<void> {
    const isThere = await this.#attempt("The cache directory cannot be used", () =>
      mkdir(this.#directory, { recursive: true, mode: 0o700 }),
    );
    if (!isThere) return;
    const path = join(this.#directory, "node.db");
    await this.#attempt("The node's database cannot be used", () => {
      this.#store = this.#openStore(path);
    });
  }

  /** What the node may start with, the best first. Nothing in it is unverified; everything has to be validated anew. */
  async candidates(): Promise<readonly Candidate[]> {
    const kept: Candidate[] = [];
    await this.#attempt("The kept configurations cannot be read", () => {
      for (const generation of this.#store?.generations() ?? []) {
        if ("problem" in generation) this.#fail("A kept configuration cannot be used", generation.problem);
        else kept.push({ ...generation, source: "generation" });
      }
    });
    const isTrusted = (candidate: Candidate): boolean => candidate.failedStarts < MAX_FAILED_STARTS;
    const ordered = [...kept.filter(isTrusted), ...kept.filter((candidate) => !isTrusted(candidate))];
    const document = await this.#readDocument();
    return document === undefined ? ordered : [...ordered, document];
  }

  /** Before the candidate is used. */
  async countStart(candidate: Candidate): Promise<void> {
    const { number } = candidate;
    if (number === undefined) return;
    await this.#attempt("A start could not be counted", () => this.#store?.countStart(number));
  }

  /** The process has lived for a minute with this configuration. */
  async markSurvived({ epoch, version }: Pick<Stamp, "epoch" | "version">): Promise<void> {
    await this.#attempt("A survived start could not be noted", () => this.#store?.markSurvived({ epoch, version }));
  }

  /** Keeps what runs now. @returns why it could not be kept, empty when it is on disk */
  async save(snapshot: Snapshot): Promise<string> {
    this.#error = "";
    await this.#attempt("The configuration could not be kept", () => {
      if (this.#store === undefined) throw new Error("the node's database cannot be used");
      this.#store.save(snapshot);
    });
    await this.#attempt("The configuration could not be kept as config.yaml", () =>
      writeFileAtomically(this.#documentPath, renderDocument(snapshot.resources)),
    );
    return this.#error;
  }

  close(): void {
    this.#store?.close();
    this.#store = undefined;
  }

  get #documentPath(): string {
    return join(this.#directory, "config.yaml");
  }

  #openStore(path: string): GenerationStore {
    try {
      return GenerationStore.open(path);
    } catch (error) {
      if (!isDamage(error)) throw error;
      this.#logger.error("The node's database is damaged; it is moved aside and begun anew", {
        path,
        reason: text(error),
      });
      return GenerationStore.rebuild(path);
    }
  }

  async #readDocument(): Promise<Candidate | undefined> {
    const content = await readFile(this.#documentPath, "utf8").catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOENT") this.#fail("The kept config.yaml cannot be read", text(error));
    });
    if (content === undefined) return undefined;
    const document = parseDocument(this.#language, content);
    if (!document.ok) {
      this.#fail("The kept config.yaml is not valid", document.problems.slice(0, 3).map(describeProblem).join("; "));
      return undefined;
    }
    const snapshot = createSnapshot({ epoch: "", version: 0, resources: toResources(document.value) });
    return { source: "config.yaml", number: undefined, failedStarts: 0, snapshot };
  }

  async #attempt(message: string, action: () => unknown): Promise<boolean> {
    try {
      await action();
      return true;
    } catch (error) {
      this.#fail(message, text(error));
      return false;
    }
  }

  #fail(message: string, reason: string): void {
    this.#error = reason;
    this.#logger.error(message, { directory: this.#directory, reason });
  }
}

export interface Candidate {
  readonly source: "generation" | "config.yaml";
  readonly snapshot: Snapshot;
  /** Undefined for `config.yaml`, whose epoch is empty and whose version is 0: it says neither. */
  readonly number: number | undefined;
  readonly failedStarts: number;
}

const MAX_FAILED_STARTS = 3;

function text(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
