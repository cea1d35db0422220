import type { Refusal } from "../../http/refusal.ts";
import type { Trailers } from "../../http/trailers.ts";
import type { Attempt } from "./attempt.ts";
import type { Attempts } from "./attempts.ts";
import type { CopiedRequest } from "./copied-request.ts";

/** The attempts at a request of which copies are made. Stands in their place, so that a request without copies never meets it. */
export class CopiedAttempt {
  readonly #attempt: Attempt | Attempts | CopiedAttempt;
  readonly #copies: readonly CopiedRequest[];

  /** @param hasBody whether something of the request has yet to come */
  constructor(attempt: Attempt | Attempts | CopiedAttempt, copies: readonly CopiedRequest[], hasBody: boolean) {
    this.#attempt = attempt;
    this.#copies = copies;
    if (!hasBody) this.#send();
  }

  get isOpen(): boolean {
    return this.#attempt.isOpen;
  }

  body(buffer: Buffer, start: number, end: number): void {
    this.#attempt.body(buffer, start, end);
    for (const copy of this.#copies) copy.body(buffer, start, end);
  }

  complete(trailers: Trailers): void {
    this.#attempt.complete(trailers);
    this.#send();
  }

  flush(): boolean {
    return this.#attempt.flush();
  }

  pause(): void {
    this.#attempt.pause();
  }

  resume(): void {
    this.#attempt.resume();
  }

  fail(refusal: Refusal): void {
    this.#attempt.fail(refusal);
  }

  /** Copies that were sent go on. */
  drop(): void {
    this.#attempt.drop();
  }

  #send(): void {
    for (const copy of this.#copies) copy.send();
  }
}
