import type { BodyTransform } from "../../sdk/response-context.ts";

/** Whom a transformed body belongs to. */
export interface TransformedBodyOwner {
  onTransformed(octets: Buffer): void;
  /** It takes no more for now. */
  onTransformFull(): void;
  onTransformDrained(): void;
  onTransformEnd(): void;
  onTransformFailed(error: Error): void;
}

/** A body on its way through the streams of plugins. */
export class TransformedBody {
  readonly #transforms: readonly BodyTransform[];
  #isDropped = false;

  constructor(transforms: readonly BodyTransform[], owner: TransformedBodyOwner) {
    this.#transforms = transforms;
    for (const [index, { stream }] of transforms.entries()) {
      const next = transforms[index + 1]?.stream;
      if (next !== undefined) stream.pipe(next);
      stream.on("error", (error) => {
        if (this.#isDropped) return;
        this.drop();
        owner.onTransformFailed(error);
      });
    }
    this.#first.on("drain", () => owner.onTransformDrained());
    this.#last.on("data", (octets: Buffer) => {
      if (!this.#isDropped) owner.onTransformed(octets);
    });
    this.#last.on("end", () => {
      if (!this.#isDropped) owner.onTransformEnd();
    });
    this.#onFull = () => owner.onTransformFull();
  }

  readonly #onFull: () => void;

  get #first() {
    return this.#transforms[0]!.stream;
  }

  get #last() {
    return this.#transforms.at(-1)!.stream;
  }

  write(buffer: Buffer, start: number, end: number): void {
    if (!this.#first.write(Buffer.from(buffer.subarray(start, end)))) this.#onFull();
  }

  /** The upstream pauses: what can be sent should be. */
  flush(): void {
    for (const transform of this.#transforms) transform.flush?.();
  }

  end(): void {
    this.#first.end();
  }

  pause(): void {
    this.#last.pause();
  }

  resume(): void {
    this.#last.resume();
  }

  drop(): void {
    this.#isDropped = true;
    for (const { stream } of this.#transforms) stream.destroy();
  }
}
