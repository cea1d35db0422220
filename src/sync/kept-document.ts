import { setImmediate as turn } from "node:timers/promises";
import { renderPieces } from "../config/render-document.ts";
import type { Resource } from "../config/resource.ts";
import type { Clock } from "../core/clock.ts";
import { writeFileAtomically } from "./atomic-file.ts";

/** Resources that are written at once. */
const FEW = 256;
/** What is rested after writing, as a multiple of the time that it took. */
const REST = 100;

export interface KeptDocumentOptions {
  readonly path: string;
  /** What is written in the place of resources. */
  readonly hide?: (resources: readonly Resource[]) => readonly Resource[];
  readonly clock: Clock;
  readonly onFailed: (error: unknown) => void;
}

/**
 * A file that says as a document what a node runs. To write it costs what the whole configuration is long, seconds with 100,000
 * routes, so no change waits for that: a large one is made in pieces between which all else goes on, and takes at most a hundredth
 * of the time. Changes meanwhile are not written one by one: the newest is, in the end.
 */
export class KeptDocument {
  readonly #options: KeptDocumentOptions;
  /** The newest, as long as nobody has begun to write it. */
  #wanted: readonly Resource[] | undefined;
  #writing: Promise<void> | undefined;
  #cancelRest: (() => void) | undefined;
  #deadline: AbortSignal | undefined;

  constructor(options: KeptDocumentOptions) {
    this.#options = options;
  }

  /** What is to be written from now on. Answers once it is, where that is quick and it is not the time to rest. */
  async follow(resources: readonly Resource[]): Promise<void> {
    this.#wanted = resources;
    if (this.#writing !== undefined || this.#cancelRest !== undefined) return;
    const writing = this.#begin();
    if (resources.length <= FEW) await writing;
  }

  /** Writes what is not written yet, unless the deadline comes before. */
  async finish(deadline?: AbortSignal): Promise<void> {
    this.#deadline = deadline;
    await this.#writing;
    this.#cancelRest?.();
    await this.#begin();
    this.#deadline = undefined;
  }

  async #begin(): Promise<void> {
    const resources = this.#wanted;
    this.#wanted = undefined;
    this.#cancelRest = undefined;
    if (resources === undefined) return;
    this.#writing = this.#write(resources).catch(this.#options.onFailed);
    await this.#writing;
    this.#writing = undefined;
  }

  async #hidden(resources: readonly Resource[]): Promise<readonly Resource[]> {
    const { hide } = this.#options;
    if (hide === undefined) return resources;
    const hidden: Resource[] = [];
    for (let start = 0; start < resources.length; start += FEW) {
      if (start > 0) await turn();
      hidden.push(...hide(resources.slice(start, start + FEW)));
    }
    return hidden;
  }

  async #write(resources: readonly Resource[]): Promise<void> {
    const { path, clock } = this.#options;
    const startMs = clock.monotonicMs();
    const pieces: string[] = [];
    for (const piece of renderPieces(await this.#hidden(resources))) {
      if (this.#deadline?.aborted) return;
      if (pieces.push(piece) > 1) await turn();
    }
    const tookMs = clock.monotonicMs() - startMs;
    await writeFileAtomically(path, pieces.join(""));
    this.#cancelRest = clock.after(tookMs * REST, () => void this.#begin());
  }
}
