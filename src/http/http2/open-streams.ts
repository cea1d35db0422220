import { type ConnectionFault, ERROR } from "./frame.ts";
import type { ServerStream } from "./server-stream.ts";

/** Streams that we reset and the client may not know of yet. */
const MAX_REMEMBERED_RESETS = 1_024;

/** The streams of a connection by their numbers, and the places that they take one after another (RFC 9113 §5.1). */
export class OpenStreams {
  /** The highest number that the client has used. */
  lastId = 0;
  readonly #addPlace: () => ServerStream;
  readonly #byId = new Map<number, ServerStream>();
  readonly #places: ServerStream[] = [];
  readonly #free: ServerStream[] = [];
  readonly #reset = new Set<number>();

  constructor(addPlace: () => ServerStream) {
    this.#addPlace = addPlace;
  }

  get count(): number {
    return this.#byId.size;
  }

  get places(): readonly ServerStream[] {
    return this.#places;
  }

  get(id: number): ServerStream | undefined {
    return this.#byId.get(id);
  }

  /** Those that are open. */
  values(): Iterable<ServerStream> {
    return this.#byId.values();
  }

  /** Whether the client may open a stream of this number: odd, and higher than all before. */
  isNew(id: number): boolean {
    return id > this.lastId && id % 2 === 1;
  }

  /** What it means that the client uses a number that no open stream has; nothing when it cannot know yet that we reset it. */
  faultOf(id: number): ConnectionFault | undefined {
    if (id > this.lastId || id % 2 === 0)
      return { code: ERROR.protocol, reason: "a frame stands on a stream that was not opened" };
    if (this.#reset.has(id)) return undefined;
    return { code: ERROR.streamClosed, reason: "a frame stands on a stream that is closed" };
  }

  /** A place for a new stream, to be served there. */
  open(id: number): ServerStream {
    const place = this.#free.pop() ?? this.#newPlace();
    this.lastId = id;
    this.#byId.set(id, place);
    return place;
  }

  /** Takes note of a stream that is not served. */
  refuse(id: number): void {
    this.lastId = id;
    this.#remember(id);
  }

  close(place: ServerStream, isReset: boolean): void {
    this.#byId.delete(place.id);
    this.#free.push(place);
    if (isReset) this.#remember(place.id);
  }

  #newPlace(): ServerStream {
    const place = this.#addPlace();
    this.#places.push(place);
    return place;
  }

  #remember(id: number): void {
    this.#reset.add(id);
    if (this.#reset.size <= MAX_REMEMBERED_RESETS) return;
    const [oldest] = this.#reset;
    this.#reset.delete(oldest!);
  }
}
