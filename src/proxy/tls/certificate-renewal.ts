import { randomBytes } from "node:crypto";
import type { Clock } from "../../core/clock.ts";
import type { Logger } from "../../core/ports.ts";
import { watchFiles } from "../../core/watched-files.ts";
import { ConfigurationRefused } from "../configuration-refused.ts";
import type { Plan } from "../worker/plan.ts";
import { type ReadMaterial, readTlsMaterial } from "./read-tls-material.ts";
import type { TlsMaterial } from "./tls-material.ts";

/** How long a client that comes back may resume its session (RFC 8446 §4.6.1 allows seven days). */
const TICKET_KEY_LIFE_MS = 12 * 3_600_000;
const TICKET_KEY_BYTES = 48;

export interface RenewalOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Puts the plan, which differs from the one in effect by its material, into effect. */
  readonly renew: (plan: Plan) => Promise<void>;
}

/**
 * Watches the certificate files of the plan in effect, and has new ones used for new handshakes. Files that cannot be used are
 * told about and change nothing, so that a rotation that went wrong costs no traffic until the old certificate ends.
 */
export class CertificateRenewal {
  readonly #options: RenewalOptions;
  #ticketKeys: Uint8Array = randomBytes(TICKET_KEY_BYTES);
  #plan: Plan | undefined;
  #stopWatching = (): void => {};
  #stopRotating = (): void => {};
  #checking: Promise<void> = Promise.resolve();

  constructor(options: RenewalOptions) {
    this.#options = options;
  }

  start(): void {
    this.#stopRotating = this.#options.clock.after(TICKET_KEY_LIFE_MS, () => {
      this.#ticketKeys = randomBytes(TICKET_KEY_BYTES);
      this.check();
      this.start();
    });
  }

  stop(): void {
    this.#plan = undefined;
    this.#stopWatching();
    this.#stopRotating();
  }

  /** @throws ConfigurationRefused when a file cannot be used. */
  read(configuration: Parameters<typeof readTlsMaterial>[0]): Promise<ReadMaterial> {
    return readTlsMaterial(configuration, this.#ticketKeys);
  }

  /** The plan has come into effect. */
  follow(plan: Plan): void {
    const { clock, logger } = this.#options;
    const isFollowed = this.#plan?.tls === plan.tls;
    this.#plan = plan;
    if (isFollowed) return;
    this.#stopWatching();
    this.#stopWatching = () => {};
    this.#warn(plan.tls);
    if (plan.tlsFiles.length === 0) return;
    try {
      this.#stopWatching = watchFiles(plan.tlsFiles, clock, () => this.check());
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      logger.error("Certificate files cannot be watched: new ones are taken with a reload only", { reason });
    }
    this.check(); // They may have been replaced between reading and watching.
  }

  /** Reads the files again, one time after the other. */
  check(): void {
    this.#checking = this.#checking.then(() => this.#check());
  }

  #warn({ listeners, upstream }: TlsMaterial): void {
    const { clock, logger } = this.#options;
    for (const [listener, { certificates }] of listeners)
      for (const { certFile, notAfterMs } of certificates)
        if (notAfterMs < clock.now())
          logger.warn("A certificate has expired", {
            listener,
            file: certFile,
            not_after: new Date(notAfterMs).toISOString(),
          });
    if (!upstream.verify) logger.warn("Targets that are https are not verified: transport.insecure_skip_verify is set");
  }

  async #check(): Promise<void> {
    const plan = this.#plan;
    if (plan === undefined) return;
    const { logger, renew } = this.#options;
    try {
      const { material } = await this.read(plan.configuration);
      // Material that came into effect meanwhile is checked by itself.
      if (plan.tls !== this.#plan?.tls || isSame(material, plan.tls)) return;
      this.#plan = { ...this.#plan, tls: material };
      await renew(this.#plan);
      logger.info("New certificates are in use", { listeners: changedListeners(material, plan.tls) });
    } catch (error) {
      const reason = error instanceof ConfigurationRefused ? error.message : String(error);
      logger.error("New certificate files cannot be used: those before stay in use", { reason });
    }
  }
}

function isSame(one: TlsMaterial, other: TlsMaterial): boolean {
  return one.upstream.fingerprint === other.upstream.fingerprint && changedListeners(one, other).length === 0;
}

function changedListeners(one: TlsMaterial, other: TlsMaterial): string[] {
  const changed = [...one.listeners].filter(([id, tls]) => other.listeners.get(id)?.fingerprint !== tls.fingerprint);
  return changed.map(([id]) => id);
}
