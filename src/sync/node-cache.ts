import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { checkDocument, type ParsedDocument, toResources } from "../config/document.ts";
import type { Language } from "../config/language.ts";
import { type Checked, describeProblem, refused } from "../config/problem.ts";
import type { Resource } from "../config/resource.ts";
import { createSnapshot, type Snapshot } from "../config/snapshot.ts";
import { lineLookup } from "../config/source-lines.ts";
import { readYaml } from "../config/yaml.ts";
import type { Clock } from "../core/clock.ts";
import type { Logger } from "../core/ports.ts";
import { CacheSeal, missingSeal, type SecretSeal } from "./cache-seal.ts";
import { type Generation, GenerationStore, isDamage, type Step } from "./generation-store.ts";
import { KeptDocument } from "./kept-document.ts";
import type { Stamp } from "./messages.ts";
import { isTrusted, type SetAside, setAsideOf } from "./set-aside.ts";

export interface NodeCacheOptions {
  readonly language: Language;
  readonly directory: string;
  /** The private key with which secrets are sealed, PEM; left out, they are written as they are. */
  readonly keyFile?: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * What a node keeps on its disk to start without a control plane: the last generations of its configuration in `node.db`,
 * and the newest one as `config.yaml`, for people and for the day on which the database is damaged; a large one follows a while after
 * (see kept-document.ts).
 *
 * A configuration can be valid and still bring the process down. So going live with one, from the disk or from a control plane, counts
 * against it until the process has lived with it for a minute, was given another or was told to stop. One that failed five times in a
 * row is set aside: the node starts with another, and does not take it from its control plane either. Where there is no other, it starts
 * with it all the same: a node that is killed again and again serves whenever it is not dead.
 * After a pause it is tried again, since what was wrong may have been the machine; each failure doubles the pause.
 *
 * Secrets that are written inline are sealed in all of it; see cache-seal.ts.
 *
 * The disk is never a reason not to serve. What it refuses is kept as `error`, logged, and told to the control plane.
 */
export class NodeCache {
  readonly #language: Language;
  readonly #directory: string;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #document: KeptDocument;
  readonly #keyFile: string | undefined;
  #store: GenerationStore | undefined;
  #keys: CacheSeal | undefined;
  #seal: SecretSeal | undefined;
  #error = "";

  constructor({ language, directory, keyFile, clock, logger }: NodeCacheOptions) {
    this.#language = language;
    this.#directory = directory;
    this.#keyFile = keyFile;
    this.#clock = clock;
    this.#logger = logger;
    const onFailed = (error: unknown) => this.#fail("The configuration could not be kept as config.yaml", text(error));
    const hide = (resources: readonly Resource[]) => this.#seal?.hide(resources) ?? resources;
    this.#document = new KeptDocument({ path: this.#documentPath, hide, clock, onFailed });
  }

  /** Why the last thing to be kept was not; empty when it was. */
  get error(): string {
    return this.#error;
  }

  /** Whether secrets can be sealed. */
  get hasKey(): boolean {
    return this.#keys !== undefined;
  }

  /** Opens what is there. A damaged database is moved aside. Does not throw: see `error`. */
  async open(): Promise<void> {
    const isThere = await this.#attempt("The cache directory cannot be used", () =>
      mkdir(this.#directory, { recursive: true, mode: 0o700 }),
    );
    if (!isThere) return;
    if (this.#keyFile !== undefined) await this.#openSeal(this.#keyFile);
    await this.#attempt("The node's database cannot be used", () => {
      this.#store = this.#openStore(this.#databasePath);
    });
    if (this.#keys?.isNew === "first") await this.#sealDocument();
  }

  /** Before a new private key takes the place of the one in the file: what is kept can be read with either. */
  async rekey(privateKey: string): Promise<void> {
    await this.#attempt("What is kept could not be sealed for the new key", () => this.#keys?.rekey(privateKey));
  }

  /** Somebody may have replaced the private key in its file. */
  async keyChanged(): Promise<void> {
    const keyFile = this.#keyFile;
    if (keyFile === undefined || this.#keys === undefined) return;
    await this.#attempt("What is kept could not be sealed for the key in the file", async () =>
      this.#keys?.rekey(await readFile(keyFile, "utf8")),
    );
  }

  /** The new private key has taken its place. */
  async settle(privateKey: string): Promise<void> {
    await this.#attempt("What is kept could not be sealed for the new key alone", () => this.#keys?.settle(privateKey));
  }

  /** What the node may start with, the best first, each read when it is asked for. Nothing in it is unverified; everything has to be validated anew. */
  async *candidates(): AsyncGenerator<Candidate> {
    let kept: readonly Generation[] = [];
    await this.#attempt("The kept configurations cannot be read", () => {
      kept = this.#store?.generations() ?? [];
    });
    const isDue = (generation: Generation): boolean =>
      !isTrusted(generation) && setAsideOf(generation, this.#clock.now()) === undefined;
    yield* this.#readAll(kept.filter(isTrusted));
    const document = await this.#readDocument();
    if (document !== undefined && kept.every((other) => other.hash !== document.snapshot.hash || isTrusted(other)))
      yield document;
    yield* this.#readAll(kept.filter(isDue));
    // Better than nothing: the machine may be what ends the process, or somebody who kills it.
    const others = kept.filter((generation) => !isTrusted(generation) && !isDue(generation));
    yield* this.#readAll([...others.filter(({ isProven }) => isProven), ...others.filter(({ isProven }) => !isProven)]);
  }

  /** Before the candidate goes live. */
  async begin({ number, snapshot }: Candidate): Promise<void> {
    await this.#attempt("A start could not be counted", () => {
      if (number === undefined) this.#store?.save(snapshot, this.#clock.now());
      else this.#store?.begin(number, this.#clock.now());
    });
  }

  /** What had begun, or was saved last, did not go live, or the process is told to stop: nothing was shown by it. */
  async withdraw(): Promise<void> {
    await this.#attempt("A start could not be taken back", () => this.#store?.withdraw());
  }

  /** What is set aside now, the newest first. */
  setAside(): readonly SetAside[] {
    const nowMs = this.#clock.now();
    try {
      return (this.#store?.generations() ?? []).flatMap((generation) => setAsideOf(generation, nowMs) ?? []);
    } catch {
      return []; // A database that cannot be read is told of by whoever wants more of it.
    }
  }

  /** The process has lived for a minute with this configuration. */
  async markSurvived({ epoch, version }: Pick<Stamp, "epoch" | "version">): Promise<void> {
    await this.#attempt("A survived start could not be noted", () => this.#store?.markSurvived({ epoch, version }));
  }

  /**
   * Keeps what runs now: in the database when this answers, as `config.yaml` then or later.
   * @param step how it came of what was kept before; costs less than the whole
   * @returns why it could not be kept, empty when it is on disk
   */
  async save(snapshot: Snapshot, step?: Step): Promise<string> {
    this.#error = "";
    await this.#attempt("The configuration could not be kept", () => {
      if (this.#store === undefined) throw new Error("the node's database cannot be used");
      this.#saveIn(this.#store, snapshot, step);
    });
    await this.#document.follow(snapshot.resources);
    return this.#error;
  }

  /** Writes what is still to be written, unless the deadline comes before. Who is told to stop has not failed. */
  async close(deadline?: AbortSignal): Promise<void> {
    await this.withdraw();
    await this.#document.finish(deadline);
    this.#store?.close();
    this.#store = undefined;
  }

  get #databasePath(): string {
    return join(this.#directory, "node.db");
  }

  get #documentPath(): string {
    return join(this.#directory, "config.yaml");
  }

  async #openSeal(keyFile: string): Promise<void> {
    const { language, directory } = { language: this.#language, directory: this.#directory };
    this.#seal = missingSeal(language, `${keyFile} cannot be used`);
    await this.#attempt("Secrets cannot be sealed with the node's key, and what holds any is not kept", async () => {
      const privateKey = await readFile(keyFile, "utf8");
      this.#keys = await CacheSeal.open({ language, directory, privateKey });
      this.#seal = this.#keys;
    });
    if (this.#keys?.isNew === "lost")
      this.#logger.error("The node's key is another than what is kept was sealed with; secrets in it are lost", {
        keyFile,
      });
  }

  /** One that an older program wrote may hold secrets in clear. */
  async #sealDocument(): Promise<void> {
    const candidate = await this.#readDocument();
    if (candidate !== undefined) await this.#document.follow(candidate.snapshot.resources);
  }

  #openStore(path: string): GenerationStore {
    try {
      return GenerationStore.open(path, this.#seal);
    } catch (error) {
      return this.#rebuild(path, error);
    }
  }

  /** Damage may also show when something is to be written. */
  #saveIn(store: GenerationStore, snapshot: Snapshot, step: Step | undefined): void {
    try {
      store.save(snapshot, this.#clock.now(), step);
    } catch (error) {
      this.#store = this.#rebuild(this.#databasePath, error, store);
      this.#store.save(snapshot, this.#clock.now());
    }
  }

  #rebuild(path: string, error: unknown, store?: GenerationStore): GenerationStore {
    if (!isDamage(error)) throw error;
    this.#logger.error("The node's database is of no use; it is moved aside and begun anew", {
      path,
      reason: text(error),
    });
    store?.close();
    return GenerationStore.rebuild(path, this.#seal);
  }

  *#readAll(generations: readonly Generation[]): Generator<Candidate> {
    for (const generation of generations) {
      const candidate = this.#read(generation);
      if (candidate !== undefined) yield candidate;
    }
  }

  #read({ number, version, failures }: Generation): Candidate | undefined {
    try {
      return { source: "generation", number, failures, snapshot: this.#store!.read(number) };
    } catch (error) {
      this.#fail("A kept configuration cannot be used", `the kept version ${version} cannot be used: ${text(error)}`);
      return undefined;
    }
  }

  async #readDocument(): Promise<Candidate | undefined> {
    const content = await readFile(this.#documentPath, "utf8").catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOENT") this.#fail("The kept config.yaml cannot be read", text(error));
    });
    if (content === undefined) return undefined;
    const document = this.#parse(content);
    if (!document.ok) {
      this.#fail("The kept config.yaml is not valid", document.problems.slice(0, 3).map(describeProblem).join("; "));
      return undefined;
    }
    const snapshot = createSnapshot({ epoch: "", version: 0, resources: toResources(document.value) });
    return { source: "config.yaml", number: undefined, failures: 0, snapshot };
  }

  #parse(content: string): Checked<ParsedDocument> {
    const root = readYaml(content);
    if (!root.ok) return root;
    try {
      const revealed = this.#seal?.revealDocument(root.value) ?? root.value;
      return checkDocument(this.#language, revealed, lineLookup(content));
    } catch (error) {
      return refused([{ path: "", message: text(error) }]);
    }
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
  /** Times in a row that the process did not live on with it. */
  readonly failures: number;
}

function text(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
