import { mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { RunwayError } from "../../core/failure.ts";
import type { KeyPair } from "./certificate.ts";

/** A directory of certificates and keys: `<name>.crt` for everybody, `<name>.key` for its owner alone. */
export class KeyStore {
  readonly directory: string;

  constructor(directory: string) {
    this.directory = directory;
  }

  certificatePath(name: string): string {
    return join(this.directory, `${name}.crt`);
  }

  keyPath(name: string): string {
    return join(this.directory, `${name}.key`);
  }

  async has(name: string): Promise<boolean> {
    const found = await Promise.all([exists(this.certificatePath(name)), exists(this.keyPath(name))]);
    return found.includes(true);
  }

  /** @throws RunwayError `forbidden` when there is a pair of that name and `force` is not given. */
  async write(name: string, { certificate, key }: KeyPair, { force }: { force: boolean }): Promise<void> {
    await mkdir(this.directory, { recursive: true, mode: 0o700 });
    if (!force && (await this.has(name))) {
      const detail = `${this.certificatePath(name)} or its key exists already. Choose another --dir or --name, or replace it with --force.`;
      throw new RunwayError("forbidden", detail);
    }
    await writeWhole(this.keyPath(name), key, 0o600);
    await writeWhole(this.certificatePath(name), certificate, 0o644);
  }

  /** @throws RunwayError `notFound` when there is no such pair. */
  async read(name: string): Promise<KeyPair> {
    try {
      const [certificate, key] = await Promise.all([
        readFile(this.certificatePath(name), "utf8"),
        readFile(this.keyPath(name), "utf8"),
      ]);
      return { certificate, key };
    } catch (cause) {
      const detail = `${this.certificatePath(name)} and ${this.keyPath(name)} cannot be read. Make the authority with \`runway pki init\`, or name its directory with --dir.`;
      throw new RunwayError("notFound", detail, { cause });
    }
  }
}

/** Somebody who watches the file never sees a part of it, and the mode holds from its first byte on. */
async function writeWhole(path: string, text: string, mode: number): Promise<void> {
  const unfinished = `${path}.new`;
  await rm(unfinished, { force: true });
  await writeFile(unfinished, text, { mode, flag: "wx" });
  await rename(unfinished, path);
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
