import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createPrivateKey,
  createPublicKey,
  hkdfSync,
  randomBytes,
} from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { isMapping, type Json, type JsonObject } from "../config/json.ts";
import type { Language } from "../config/language.ts";
import { Redaction } from "../config/redaction.ts";
import type { Resource } from "../config/resource.ts";
import { writeFileAtomically } from "./atomic-file.ts";

/*
 * Secrets that are written inline in a configuration are not in clear on a node's disk. Each is sealed with a data key (AES-256-GCM),
 * which is kept sealed itself, with a key that HKDF-SHA256 (RFC 5869) derives of the private key of the node's certificate. So whoever
 * has the directory alone has no secret, and a new private key costs a new seal of one key and not of everything. Before a new
 * private key takes the place of the old one the data key is sealed for both, so that a node that stops in between reads its cache
 * with whichever it has. The sealed data key is kept twice, since nothing can be read without it.
 *
 * A private key that is replaced while the node is down takes the secrets of the cache with it: the node then waits for its control
 * plane, as one without a cache does.
 */
const FILES = ["seal", "seal.copy"];
const CIPHER = "aes-256-gcm";
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const PURPOSE = "runway node cache";
const MARK = "sealed:v1:";
const SEALED = new RegExp(`^${MARK}([\\w-]+)$`);

const SealFile = z.strictObject({
  /** By the SHA-256 of the public key (DER, SubjectPublicKeyInfo). */
  wraps: z.record(z.string(), z.strictObject({ salt: z.base64(), sealed: z.base64url() })),
});
type Wraps = z.output<typeof SealFile>["wraps"];

export interface CacheSealOptions {
  readonly directory: string;
  readonly language: Pick<Language, "specificationOf">;
  /** The private key of the node's certificate, PEM; other things in the text are passed over. */
  readonly privateKey: string;
}

/** Takes secrets out of what is written to a disk, and puts them back. Both may throw. */
export interface SecretSeal {
  hide(resources: readonly Resource[]): Resource[];
  reveal(resources: readonly Resource[]): Resource[];
  revealDocument(root: JsonObject): JsonObject;
}

export class CacheSeal implements SecretSeal {
  /** Whether there was a data key that this private key does not open: what it sealed is lost. */
  readonly isNew: "first" | "lost" | undefined;
  readonly #directory: string;
  readonly #dataKey: Buffer;
  readonly #hiding: Redaction;
  readonly #revealing: Redaction;
  /** What stays as it is between two versions is the same object in both. */
  readonly #hidden = new WeakMap<Resource, Resource>();
  #wraps: Wraps;

  private constructor(
    { directory, language }: CacheSealOptions,
    dataKey: Buffer,
    wraps: Wraps,
    isNew: CacheSeal["isNew"],
  ) {
    this.isNew = isNew;
    this.#directory = directory;
    this.#dataKey = dataKey;
    this.#wraps = wraps;
    this.#hiding = new Redaction(language, (secret) => MARK + seal(this.#dataKey, JSON.stringify(secret)));
    this.#revealing = new Redaction(language, (value) => this.#revealed(value));
  }

  /** Reads the data key of the directory, or makes one. @throws Error when the private key is none, or what the file system says */
  static async open(options: CacheSealOptions): Promise<CacheSeal> {
    const found = await Promise.all(FILES.map((name) => readWraps(join(options.directory, name))));
    const id = idOf(options.privateKey);
    for (const wraps of found) {
      const dataKey = wraps?.[id] && unwrap(wraps[id], options.privateKey);
      if (dataKey === undefined) continue;
      const opened = new CacheSeal(options, dataKey, wraps!, undefined);
      await opened.settle(options.privateKey);
      return opened;
    }
    const isLost = found.some((wraps) => wraps !== undefined);
    const made = new CacheSeal(options, randomBytes(KEY_BYTES), {}, isLost ? "lost" : "first");
    await made.rekey(options.privateKey);
    return made;
  }

  /** Lets this private key open the cache too. */
  async rekey(privateKey: string): Promise<void> {
    const id = idOf(privateKey);
    if (this.#wraps[id] !== undefined) return;
    await this.#keep({ ...this.#wraps, [id]: wrap(this.#dataKey, privateKey) });
  }

  /** From now on this private key alone opens the cache. */
  async settle(privateKey: string): Promise<void> {
    const id = idOf(privateKey);
    await this.#keep({ [id]: this.#wraps[id] ?? wrap(this.#dataKey, privateKey) });
  }

  /** With each secret sealed. */
  hide(resources: readonly Resource[]): Resource[] {
    return resources.map((resource) =>
      this.#hidden.getOrInsertComputed(resource, () => this.#hiding.resource(resource)),
    );
  }

  /** @throws Error when something was sealed otherwise */
  reveal(resources: readonly Resource[]): Resource[] {
    return resources.map((resource) => this.#revealing.resource(resource));
  }

  /** Of a document, in which nothing is known yet about what a text means. @throws Error when something was sealed otherwise */
  revealDocument(root: JsonObject): JsonObject {
    return this.#revealedAll(root) as JsonObject;
  }

  #revealedAll(value: Json): Json {
    if (Array.isArray(value)) return value.map((item: Json) => this.#revealedAll(item));
    if (!isMapping(value)) return this.#revealed(value);
    return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, this.#revealedAll(child)]));
  }

  #revealed(value: Json): Json {
    const [, sealed] = (typeof value === "string" && SEALED.exec(value)) || [];
    if (sealed === undefined) return value;
    const text = unseal(this.#dataKey, sealed);
    if (text === undefined) throw new Error("a secret in it was sealed with another key");
    return JSON.parse(text.toString("utf8")) as Json;
  }

  async #keep(wraps: Wraps): Promise<void> {
    const text = `${JSON.stringify({ wraps })}\n`;
    for (const name of FILES) await writeFileAtomically(join(this.#directory, name), text);
    this.#wraps = wraps;
  }
}

/** Undefined where there is none that can be understood. */
async function readWraps(path: string): Promise<Wraps | undefined> {
  try {
    return SealFile.parse(JSON.parse(await readFile(path, "utf8"))).wraps;
  } catch {
    return undefined;
  }
}

function idOf(privateKey: string): string {
  const spki = createPublicKey(createPrivateKey(privateKey)).export({ type: "spki", format: "der" });
  return createHash("sha256").update(spki).digest("hex");
}

function wrap(dataKey: Buffer, privateKey: string): Wraps[string] {
  const salt = randomBytes(KEY_BYTES);
  return { salt: salt.toString("base64"), sealed: seal(derive(privateKey, salt), dataKey) };
}

function unwrap({ salt, sealed }: Wraps[string], privateKey: string): Buffer | undefined {
  return unseal(derive(privateKey, Buffer.from(salt, "base64")), sealed);
}

function derive(privateKey: string, salt: Buffer): Buffer {
  const secret = createPrivateKey(privateKey).export({ type: "pkcs8", format: "der" });
  return Buffer.from(hkdfSync("sha256", secret, salt, PURPOSE, KEY_BYTES));
}

/** Nonce, tag and text, base64url. */
function seal(key: Buffer, text: string | Buffer): string {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES });
  const sealed = Buffer.concat([cipher.update(text), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString("base64url");
}

/** Undefined where it was not sealed with the key, or changed since. */
function unseal(key: Buffer, text: string): Buffer | undefined {
  const octets = Buffer.from(text, "base64url");
  if (octets.length < NONCE_BYTES + TAG_BYTES) return undefined;
  try {
    const cipher = createDecipheriv(CIPHER, key, octets.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
    cipher.setAuthTag(octets.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
    return Buffer.concat([cipher.update(octets.subarray(NONCE_BYTES + TAG_BYTES)), cipher.final()]);
  } catch {
    return undefined;
  }
}

/** Of a node whose key cannot be used: what holds no secret is kept, and nothing else. */
export function missingSeal(language: Pick<Language, "specificationOf">, why: string): SecretSeal {
  const refusing = new Redaction(language, () => {
    throw new Error(`it holds secrets, which cannot be sealed: ${why}`);
  });
  return {
    hide: (resources) => resources.map((resource) => refusing.resource(resource)),
    reveal: (resources) => [...resources],
    revealDocument(root) {
      if (JSON.stringify(root).includes(MARK)) throw new Error(`it holds sealed secrets, which cannot be read: ${why}`);
      return root;
    },
  };
}
