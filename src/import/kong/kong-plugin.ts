import { z } from "zod";
import type { JsonObject } from "../../config/json.ts";
import type { Language } from "../../config/language.ts";
import type { ImportReport } from "../import-report.ts";
import type { KongEntity } from "./kong-entity.ts";
import type { KongFile } from "./kong-file.ts";
import { isAuthenticator, mayKeepOut, READERS } from "./plugins/index.ts";
import { type PluginReading, Tell } from "./plugins/plugin-reader.ts";

const SCOPES = ["route", "service", "consumer"] as const;

/** How near to a request a plugin stands; the nearest of a name is in force. */
export const LEVEL = { global: 0, service: 1, route: 2 } as const;

/** A plugin of the file, and where it stands. */
export class KongPlugin {
  readonly name: string;
  readonly entity: KongEntity;
  readonly route: KongEntity | undefined;
  readonly service: KongEntity | undefined;
  readonly consumer: KongEntity | undefined;
  /** Who asks where nobody is known, by name or id; undefined where nobody may be unknown. */
  readonly anonymous: string | undefined;
  readonly reading: PluginReading;

  constructor(entity: KongEntity, file: KongFile, { language, report }: { language: Language; report: ImportReport }) {
    this.entity = entity;
    this.name = String(entity.fields.name ?? "");
    [this.route, this.service, this.consumer] = SCOPES.map((kind) => entity.reference(kind, file.ofKind(kind)));
    const config = entity.part("config");
    this.anonymous = isAuthenticator(this.name) ? config.read("anonymous", z.string(), "") || undefined : undefined;
    this.reading = this.#read(config, language, report);
  }

  get isOn(): boolean {
    return this.entity.read("enabled", z.boolean(), true);
  }

  get authenticates(): boolean {
    return isAuthenticator(this.name);
  }

  get level(): number {
    return this.route !== undefined ? LEVEL.route : this.service !== undefined ? LEVEL.service : LEVEL.global;
  }

  /** Whether somebody may get in who did not, since it has no counterpart. */
  get isMissed(): boolean {
    return "missing" in this.reading && mayKeepOut(this.name);
  }

  #read(config: KongEntity, language: Language, report: ImportReport): PluginReading {
    const { subject } = this.entity;
    const reader = READERS[this.name];
    const reading = reader?.read(config, new Tell(report, subject)) ?? { missing: "there is no plugin like it here" };
    const wrong = "missing" in reading ? reading.missing : refusalOf(language, reading.blocks);
    if (wrong !== undefined) {
      report.leftOut(subject, wrong);
      return { missing: wrong };
    }
    this.entity.passOver("enabled", "protocols", "instance_name");
    for (const field of config.unread(reader?.defaults ?? {}))
      report.leftOut(subject, `the setting config.${field} has no counterpart`);
    return reading;
  }
}

/** A block that is not valid would be no protection. */
function refusalOf(language: Language, blocks: Readonly<Record<string, JsonObject>>): string | undefined {
  for (const [name, block] of Object.entries(blocks)) {
    const result = (language.settings[name] ?? language.sectionOf("route")?.spec.shape[name])?.safeParse(block);
    if (result?.success === false) return `the language refuses it: ${result.error.issues[0]?.message}`;
  }
  return undefined;
}
