import { readFile } from "node:fs/promises";
import { RunwayError } from "../core/failure.ts";
import type { Logger } from "../core/ports.ts";
import { writeFileAtomically } from "./atomic-file.ts";
import { type IdentityLedger, MemoryIdentityLedger } from "./node-identity.ts";

/**
 * Claims kept in a JSON file, `{"owners": {"<node id>": "<owner>"}}`. A claim counts at once and is written soon after;
 * claims that come while a write is under way share the next one.
 */
export class FileIdentityLedger implements IdentityLedger {
  readonly #path: string;
  readonly #logger: Logger;
  readonly #owners: MemoryIdentityLedger;
  #writing: Promise<void> | undefined;
  #isStale = false;

  private constructor(path: string, logger: Logger, owners: MemoryIdentityLedger) {
    this.#path = path;
    this.#logger = logger;
    this.#owners = owners;
  }

  /** @throws RunwayError storeUnavailable, when the file is there and cannot be understood. */
  static async open(path: string, logger: Logger): Promise<FileIdentityLedger> {
    return new FileIdentityLedger(path, logger, new MemoryIdentityLedger(await readOwners(path)));
  }

  ownerOf(nodeId: string): string | undefined {
    return this.#owners.ownerOf(nodeId);
  }

  claim(nodeId: string, owner: string): void {
    if (this.#owners.ownerOf(nodeId) === owner) return;
    this.#owners.claim(nodeId, owner);
    this.#save();
  }

  forget(nodeId: string): void {
    this.#owners.forget(nodeId);
    this.#save();
  }

  nodeIds(): readonly string[] {
    return this.#owners.nodeIds();
  }

  /** Resolves when every claim so far is on disk, or its failure is logged. */
  async flushed(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
  }

  #save(): void {
    this.#isStale = true;
    this.#writing ??= this.#write().finally(() => {
      this.#writing = undefined;
    });
  }

  async #write(): Promise<void> {
    while (this.#isStale) {
      this.#isStale = false;
      const owners = Object.fromEntries(this.nodeIds().map((id) => [id, this.#owners.ownerOf(id)]));
      try {
        await writeFileAtomically(this.#path, `${JSON.stringify({ owners }, null, 2)}\n`);
      } catch (error) {
        this.#logger.error("The claims to node ids could not be written and will not survive a restart", {
          file: this.#path,
          reason: (error as Error).message,
        });
      }
    }
  }
}

async function readOwners(path: string): Promise<[string, string][]> {
  try {
    const { owners } = JSON.parse(await readFile(path, "utf8")) as { owners: Record<string, unknown> };
    return Object.entries(owners).map(([nodeId, owner]) => {
      if (typeof owner !== "string") throw new Error(`the owner of ${nodeId} is not text`);
      return [nodeId, owner];
    });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw new RunwayError(
      "storeUnavailable",
      `the claims to node ids in ${path} cannot be read: ${(error as Error).message}. Restore the file, or remove it and any certificate of the CA can claim any node id again`,
      { cause: error },
    );
  }
}
