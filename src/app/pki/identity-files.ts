import { access, mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { RunwayError } from "../../core/failure.ts";
import { writeFileAtomically } from "../../sync/atomic-file.ts";

export interface Identity {
  /** PEM, each. */
  readonly key: string;
  readonly certificate: string;
  readonly authorities: string;
}

/**
 * Who a node is: its key and its certificate, in one file so that both are replaced in one step, and whom it trusts. Only the owner
 * can read either.
 */
export class IdentityFiles {
  readonly identityFile: string;
  readonly authoritiesFile: string;

  constructor(identityFile: string, authoritiesFile: string) {
    this.identityFile = identityFile;
    this.authoritiesFile = authoritiesFile;
  }

  /** Of a node that has none yet. */
  static in(directory: string): IdentityFiles {
    return new IdentityFiles(join(directory, "node.pem"), join(directory, "ca.crt"));
  }

  /**
   * Sees to it that they can be written, before anything is asked of anybody.
   * @throws RunwayError forbidden, when there is an identity and `force` is not given
   */
  async claim({ force }: { readonly force: boolean }): Promise<void> {
    await mkdir(dirname(this.identityFile), { recursive: true, mode: 0o700 });
    const isThere = await access(this.identityFile).then(
      () => true,
      () => false,
    );
    if (!isThere || force) return;
    const detail = `${this.identityFile} exists already. Choose another --dir, or replace it with --force.`;
    throw new RunwayError("forbidden", detail);
  }

  /** Whom it trusts first: a node that stops between the two trusts more than it needs to, and not less. */
  async write({ key, certificate, authorities }: Identity): Promise<void> {
    await writeFileAtomically(this.authoritiesFile, authorities);
    await writeFileAtomically(this.identityFile, key + certificate);
  }
}
