import { z } from "zod";
import type { Json, JsonObject } from "../../config/json.ts";
import type { Resource } from "../../config/resource.ts";
import { ResourceNames } from "../resource-name.ts";
import { IDENTITY, merge } from "./compose-plugins.ts";
import { type ImportedPlugins, type Importing, isTermination } from "./imported-plugins.ts";
import type { KongEntity } from "./kong-entity.ts";
import { type KongPlugin, LEVEL } from "./kong-plugin.ts";
import { mayKeepOut } from "./plugins/index.ts";

/** How keys and passwords stand in a configuration; the plugins that check them know. */
export interface CredentialHashes {
  apiKey(key: string): string;
  password(password: string): Promise<string>;
}

const HASHED = "the file holds its hash, and the password is not known; give it a new one";
const VAULT = "its value is in a vault of Kong's";

/** The consumers of a file with their credentials. Whom a plugin that is missing here kept out is left out. */
export class ImportedConsumers {
  readonly #importing: Importing;
  readonly #plugins: ImportedPlugins;
  readonly #hashes: CredentialHashes;
  readonly #names = new ResourceNames();

  constructor(importing: Importing, plugins: ImportedPlugins, hashes: CredentialHashes) {
    this.#importing = importing;
    this.#plugins = plugins;
    this.#hashes = hashes;
  }

  async resources(): Promise<Resource[]> {
    const resources: Resource[] = [];
    for (const consumer of this.#importing.file.ofKind("consumer")) {
      const plugins = this.#plugins.inForce.ofConsumer(consumer);
      const blocks = this.#blocks(consumer, plugins);
      if (this.#isKeptOut(consumer, plugins)) {
        this.#leaveOutCredentials(consumer);
        continue;
      }
      const id = this.#names.take(consumer.name ?? "consumer");
      if (id !== consumer.name) this.#report.approximated(consumer.subject, `its name is ${id} here`);
      this.#report.mapped(consumer.subject, `consumer ${id}`);
      resources.push({ kind: "consumer", id, spec: { ...(await this.#credentials(consumer)), ...blocks } });
    }
    return resources;
  }

  get #report() {
    return this.#importing.report;
  }

  /** What the consumer's own plugins come to. They replace those of routes, so that these are taken in as far as they hold for all. */
  #blocks(consumer: KongEntity, plugins: readonly KongPlugin[]): JsonObject {
    const own = plugins.filter((plugin) => plugin.level === LEVEL.global && !isTermination(plugin));
    const names = new Set(own.map(({ name }) => name));
    const transforming = this.#plugins.inForce
      .at()
      .filter(({ name }) => name.endsWith("-transformer") && !names.has(name));
    const able = this.#importing.language.sectionOf("consumer")?.spec.shape ?? {};
    const blocks: Record<string, Json> = {};
    for (const [name, { spec }] of this.#plugins.compose([...own]).blocks) {
      if (Object.hasOwn(able, name)) blocks[name] = spec;
      else this.#report.leftOut(consumer.subject, `${name} cannot be different for one consumer`);
    }
    if (blocks.transform === undefined) return blocks;
    const { transform } = Object.fromEntries(
      Array.from(this.#plugins.compose([...transforming, ...own]).blocks, ([name, { spec }]) => [name, spec]),
    );
    this.#report.approximated(consumer.subject, "its own transformer replaces those of routes and services");
    return { ...blocks, transform: merge(IDENTITY, transform ?? {}) };
  }

  /** Whether nobody may come as this consumer any more, which is reported. */
  #isKeptOut(consumer: KongEntity, plugins: readonly KongPlugin[]): boolean {
    if (plugins.some(isTermination)) {
      for (const plugin of plugins.filter(isTermination)) this.#plugins.compose([plugin]);
      this.#report.approximated(consumer.subject, "nobody comes in as this consumer, so it is not there: 401");
      return true;
    }
    const able = this.#importing.language.sectionOf("consumer")?.spec.shape ?? {};
    const missed = plugins.filter(({ name, level, reading }) => {
      if (level > LEVEL.global || "missing" in reading) return mayKeepOut(name);
      return mayKeepOut(name) && Object.keys(reading.blocks).some((block) => !Object.hasOwn(able, block));
    });
    for (const plugin of plugins.filter(({ level }) => level > LEVEL.global))
      this.#report.leftOut(plugin.entity.subject, "what holds for one consumer on one route cannot be said");
    for (const { entity } of missed) {
      if (this.#importing.allowUnprotected) this.#report.unprotected(consumer.subject, `without ${entity.subject}`);
      else this.#report.closed(consumer.subject, `it is left out, since ${entity.subject} has no counterpart`);
    }
    return missed.length > 0 && !this.#importing.allowUnprotected;
  }

  async #credentials(consumer: KongEntity): Promise<JsonObject> {
    const keys = this.#ofConsumer("keyauth_credential", consumer).flatMap((entity) => this.#key(entity));
    const passwords = await Promise.all(
      this.#ofConsumer("basicauth_credential", consumer).map((entity) => this.#password(entity)),
    );
    const [basicAuth, ...others] = passwords.filter((password) => password !== undefined);
    if (others.length > 0)
      this.#report.leftOut(consumer.subject, `${others.length} of its passwords: a consumer has one here`);
    const [jwt, ...otherTokens] = this.#ofConsumer("jwt_secret", consumer).flatMap((entity) => this.#tokenKey(entity));
    if (otherTokens.length > 0)
      this.#report.leftOut(consumer.subject, `${otherTokens.length} of its keys of tokens: a consumer has one here`);
    return {
      ...(keys.length > 0 ? { api_key: { keys } } : {}),
      ...(basicAuth === undefined ? {} : { basic_auth: basicAuth }),
      ...(jwt === undefined ? {} : { jwt }),
    };
  }

  /** The key that tokens of the consumer are verified with, and by which claim it is found. */
  #tokenKey(entity: KongEntity): JsonObject[] {
    const id = entity.read("key", z.string(), "");
    const algorithm = entity.read("algorithm", z.string(), "HS256");
    const [secret, key] = [entity.read("secret", z.string(), ""), entity.read("rsa_public_key", z.string(), "")];
    const block = { id, algorithm, ...(algorithm.startsWith("HS") ? { secret } : { public_key: key }) };
    const checked = this.#importing.language.sectionOf("consumer")?.spec.shape.jwt?.safeParse(block);
    if (secret.startsWith("{vault:")) return this.#leaveOut(entity, VAULT);
    if (checked?.success !== true)
      return this.#leaveOut(entity, `the language refuses it: ${checked?.error?.issues[0]?.message}`);
    this.#report.mapped(entity.subject, "the key of tokens of its consumer");
    if (algorithm.startsWith("HS"))
      this.#report.approximated(
        entity.subject,
        "its secret stands in the configuration; better a reference, ${file:…}",
      );
    return [block];
  }

  #ofConsumer(kind: string, consumer: KongEntity): readonly KongEntity[] {
    const { file } = this.#importing;
    return file.ofKind(kind).filter((entity) => entity.reference("consumer", file.ofKind("consumer")) === consumer);
  }

  #key(entity: KongEntity): JsonObject[] {
    const key = entity.read("key", z.string(), "");
    const [ttl, createdAt] = [entity.read("ttl", z.number(), 0), entity.read("created_at", z.number(), 0)];
    if (key === "") return this.#leaveOut(entity, "it has no key, which Kong would make up");
    if (key.startsWith("{vault:")) return this.#leaveOut(entity, VAULT);
    if (ttl > 0 && createdAt === 0)
      return this.#leaveOut(entity, "it expires, and the file does not say when it began");
    const expiry = ttl > 0 ? { expires_at: new Date((createdAt + ttl) * 1_000).toISOString() } : {};
    this.#report.mapped(entity.subject, "a key of its consumer");
    return [{ hash: this.#hashes.apiKey(key), ...expiry }];
  }

  async #password(entity: KongEntity): Promise<JsonObject | undefined> {
    const username = entity.read("username", z.string(), "");
    const password = entity.read("password", z.string(), "");
    const why = this.#importing.file.isTransformed ? undefined : HASHED;
    const missing = password === "" ? "it has no password" : password.startsWith("{vault:") ? VAULT : why;
    if (missing !== undefined) {
      this.#report.leftOut(entity.subject, missing);
      return undefined;
    }
    this.#report.mapped(entity.subject, "the password of its consumer");
    return { username, password_hash: await this.#hashes.password(password) };
  }

  #leaveOutCredentials(consumer: KongEntity): void {
    for (const kind of ["keyauth_credential", "basicauth_credential", "jwt_secret"])
      for (const entity of this.#ofConsumer(kind, consumer)) this.#leaveOut(entity, "its consumer is left out");
  }

  #leaveOut(entity: KongEntity, why: string): [] {
    this.#report.leftOut(entity.subject, why);
    return [];
  }
}
