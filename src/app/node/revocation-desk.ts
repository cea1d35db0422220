import type { Revocation, RevocationList, RevokedKind } from "../../config/revocation-list.ts";
import type { Logger } from "../../core/ports.ts";
import type { RevokedCertificates } from "../../sync/revoked-certificates.ts";

export interface RevocationDeskOptions {
  readonly list: RevocationList;
  readonly revoked: RevokedCertificates;
  /** Ends what may not go on. */
  readonly enforce: () => void;
  readonly logger: Logger;
}

/**
 * Keeps what this control plane refuses level with its store. What is revoked here is in force before it is answered; what is
 * revoked elsewhere once somebody looks. While the store is away, what was known last stays in force.
 */
export class RevocationDesk implements Omit<RevocationList, "mark"> {
  readonly #options: RevocationDeskOptions;
  #mark = -1;
  #looking: Promise<void> = Promise.resolve();

  constructor(options: RevocationDeskOptions) {
    this.#options = options;
  }

  async add(revocations: readonly Revocation[]): Promise<void> {
    await this.#options.list.add(revocations);
    await this.look();
  }

  async lift(kind: RevokedKind, value: string, by: string): Promise<boolean> {
    const wasRevoked = await this.#options.list.lift(kind, value, by);
    await this.look();
    return wasRevoked;
  }

  list(): Promise<readonly Revocation[]> {
    return this.#options.list.list();
  }

  /**
   * One look after the other, so that an older list never replaces a newer one.
   * @throws RunwayError storeUnavailable
   */
  look(): Promise<void> {
    const look = this.#looking.catch(() => {}).then(() => this.#lookOnce());
    this.#looking = look;
    return look;
  }

  async #lookOnce(): Promise<void> {
    const { list, revoked, enforce, logger } = this.#options;
    // The mark first: what changes between the two is looked at again.
    const mark = await list.mark();
    if (mark === this.#mark) return;
    const revocations = await list.list();
    revoked.replace(revocations);
    this.#mark = mark;
    logger.info("What was revoked has been read", { revocations: revocations.length });
    enforce();
  }
}
