import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { Json, JsonObject } from "../../config/json.ts";
import type { Clock } from "../../core/clock.ts";
import type { Logger } from "../../core/ports.ts";
import type { Service } from "../../core/service.ts";
import { certificatesOf } from "../../sync/certificates-of.ts";
import { IssuedCertificate, RENEW_METHOD } from "../../sync/join/protocol.ts";
import type { IdentityFiles } from "../pki/identity-files.ts";

interface KeyDependent {
  /** A new key will take the place of the old one: it is to work with either. */
  rekey(newKey: string): Promise<void>;
  /** It has. */
  settle(newKey: string): Promise<void>;
}

export interface CertificateRenewalOptions {
  readonly files: IdentityFiles;
  /** Asks the control plane that the node is connected to. */
  readonly call: (method: string, params: JsonObject, options: { readonly timeoutMs: number }) => Promise<Json>;
  /** What else depends on the node's key. */
  readonly dependent?: KeyDependent;
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  readonly logger: Logger;
}

const ANSWER_LIMIT_MS = 30_000;
const FIRST_RETRY_MS = 1_000;
/** Of the certificate's lifetime. */
const LEAD = 1 / 3;
const JITTER = 1 / 10;
const LONGEST_RETRY = 1 / 20;
const URGENT = 1 / 10;
/** So that a whole fleet which is asked to renew does not do so in one moment. */
const SPREAD_MS = 2_000;
/** A timer waits no longer. */
const LONGEST_WAIT_MS = 86_400_000;

/**
 * Keeps the node's certificate from running out. A third of its lifetime before the end, a little sooner by chance, the node makes a new
 * key and has the control plane certify it, over the stream that the old one opened; that stream goes on, and new connections use
 * the new one. What fails is tried again for as long as the node lives, after a pause that doubles up to a twentieth of the
 * lifetime: the stream outlives its certificate, and renewing over it is then the only way that needs nobody's hands.
 */
export class CertificateRenewal implements Service {
  readonly name = "certificate renewal";
  readonly #options: CertificateRenewalOptions;
  #cancel = (): void => {};
  #renewing: Promise<void> | undefined;
  #failures = 0;
  #isWantedAgain = false;
  #isStopped = true;

  constructor(options: CertificateRenewalOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    this.#isStopped = false;
    await this.#schedule();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancel();
    await this.#renewing;
  }

  /** Soon, whatever is left of the certificate: the authority has changed. */
  renewSoon(): void {
    if (this.#renewing !== undefined) this.#isWantedAgain = true;
    else this.#wait(this.#options.random() * SPREAD_MS, () => this.#begin());
  }

  /** Looks at the file again before it renews, since somebody else may have replaced it, and a timer does not wait for months. */
  async #schedule(): Promise<void> {
    const { clock, random } = this.#options;
    const waitMs = (await this.#dueMs(random() * JITTER)) - clock.now();
    if (waitMs <= 0) this.#begin();
    else this.#wait(Math.min(waitMs, LONGEST_WAIT_MS), () => void this.#schedule());
  }

  #wait(delayMs: number, then: () => void): void {
    this.#cancel();
    if (!this.#isStopped) this.#cancel = this.#options.clock.after(delayMs, then);
  }

  async #dueMs(jitter: number): Promise<number> {
    const { lifetimeMs, notAfterMs } = await this.#validity();
    return notAfterMs - lifetimeMs * (LEAD + jitter);
  }

  /** A file that cannot be read is as good as a certificate that is about to end. */
  async #validity(): Promise<{ readonly lifetimeMs: number; readonly notAfterMs: number }> {
    try {
      const certificate = new X509Certificate(await readFile(this.#options.files.identityFile));
      const notAfterMs = certificate.validToDate.getTime();
      return { lifetimeMs: notAfterMs - certificate.validFromDate.getTime(), notAfterMs };
    } catch {
      return { lifetimeMs: LONGEST_WAIT_MS, notAfterMs: 0 };
    }
  }

  #begin(): void {
    if (this.#isStopped || this.#renewing !== undefined) return;
    this.#renewing = this.#renew().finally(() => {
      this.#renewing = undefined;
      if (!this.#isWantedAgain) return;
      this.#isWantedAgain = false;
      this.renewSoon();
    });
  }

  async #renew(): Promise<void> {
    const { files, logger } = this.#options;
    try {
      const { notAfterMs } = await this.#replace();
      this.#failures = 0;
      logger.info("The node's certificate was renewed", { file: files.identityFile, notAfter: timeOf(notAfterMs) });
      // A certificate that is due as soon as it is signed is no reason to do nothing else.
      const { lifetimeMs } = await this.#validity();
      this.#wait(Math.min(lifetimeMs / 4, LONGEST_WAIT_MS), () => void this.#schedule());
    } catch (error) {
      await this.#failed(error as Error);
    }
  }

  async #replace(): Promise<{ readonly notAfterMs: number }> {
    const { files, call, dependent } = this.#options;
    const { createRequest } = await import("../pki/certificate-request.ts");
    const { request, key } = await createRequest();
    const answer = await call(RENEW_METHOD, { request }, { timeoutMs: ANSWER_LIMIT_MS });
    const { certificate, authorities } = IssuedCertificate.parse(answer);
    const issued = new X509Certificate(certificate);
    if (!issued.checkPrivateKey(createPrivateKey(key))) throw new Error("the control plane signed another key");
    if (!certificatesOf(authorities).some((one) => issued.checkIssued(one) && issued.verify(one.publicKey)))
      throw new Error("the control plane named authorities of which none signed the certificate");
    await dependent?.rekey(key);
    await files.write({ key, certificate, authorities });
    await dependent?.settle(key);
    return { notAfterMs: issued.validToDate.getTime() };
  }

  async #failed({ message: reason }: Error): Promise<void> {
    const { clock, logger, files } = this.#options;
    const { lifetimeMs, notAfterMs } = await this.#validity();
    const pauseMs = Math.max(
      FIRST_RETRY_MS,
      Math.min(FIRST_RETRY_MS * 2 ** this.#failures, lifetimeMs * LONGEST_RETRY),
    );
    this.#failures += 1;
    const leftMs = notAfterMs - clock.now();
    const fields = { file: files.identityFile, reason, notAfter: timeOf(notAfterMs), retryInMs: Math.round(pauseMs) };
    if (leftMs <= 0)
      logger.error(
        "The node's certificate has ended and cannot be renewed; a lost connection will not come back",
        fields,
      );
    else if (leftMs < lifetimeMs * URGENT)
      logger.error("The node's certificate ends soon and cannot be renewed", fields);
    else logger.warn("The node's certificate could not be renewed yet", fields);
    this.#wait(pauseMs, () => this.#begin());
  }
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString();
}
