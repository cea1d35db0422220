import type { Duplex } from "node:stream";
import type { FailureKind } from "../core/failure.ts";
import { type FieldSource, HeaderFields, NO_FIELDS } from "./header-fields.ts";
import { LentFields } from "./lent-fields.ts";

/** Changes a body that streams by. */
export interface BodyTransform {
  readonly stream: Duplex;
  /** Called when the upstream pauses and the client should get what there is. */
  flush?(): void;
}

export interface ResponseSource {
  readonly status: number;
  readonly fields: FieldSource;
  /** Octets that the body has, when the head tells. */
  readonly contentLength: number | undefined;
  /** Whether a body follows. */
  readonly hasBody: boolean;
  /** Whether the upstream answered, or the gateway itself. */
  readonly isFromUpstream: boolean;
  /** Set where the gateway itself failed. */
  readonly failure: FailureKind | undefined;
}

const NO_TRANSFORMS: readonly BodyTransform[] = [];

/** The head of a response as plugins see it, whoever made it: the upstream, a plugin, or the gateway that failed. */
export class ResponseContext {
  readonly headers: HeaderFields;
  readonly contentLength: number | undefined;
  readonly hasBody: boolean;
  readonly isFromUpstream: boolean;
  readonly failure: FailureKind | undefined;
  #status: number;
  #transforms: readonly BodyTransform[] = NO_TRANSFORMS;
  readonly #fields: LentFields;

  constructor({ status, fields, contentLength, hasBody, isFromUpstream, failure }: ResponseSource) {
    this.#fields = new LentFields(fields);
    this.headers = new HeaderFields(this.#fields);
    this.contentLength = contentLength;
    this.hasBody = hasBody;
    this.isFromUpstream = isFromUpstream;
    this.failure = failure;
    this.#status = status;
  }

  get status(): number {
    return this.#status;
  }

  set status(status: number) {
    const isWithoutBody = status === 204 || status === 304;
    if (!Number.isInteger(status) || status < 200 || status > 599 || (isWithoutBody && this.hasBody))
      throw new TypeError(`${status} is not a status that this response can have`);
    this.#status = status;
  }

  /** Has the body go through `transform` on its way to the client. Only for bodies of upstreams. */
  transformBody(transform: BodyTransform): void {
    if (!this.isFromUpstream || !this.hasBody) throw new TypeError("there is no body of an upstream to be changed");
    this.#transforms = [...this.#transforms, transform];
  }

  /** Its memory belongs to another response from now on. */
  close(): void {
    this.#fields.close(NO_FIELDS);
  }

  /** In the order in which the body goes through them. */
  get transforms(): readonly BodyTransform[] {
    return this.#transforms;
  }
}
