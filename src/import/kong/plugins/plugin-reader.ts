import { z } from "zod";
import type { JsonObject } from "../../../config/json.ts";
import type { ImportReport } from "../../import-report.ts";
import type { KongEntity } from "../kong-entity.ts";

/** What a plugin of Kong becomes; or why it has no counterpart. */
export type PluginReading =
  | {
      /** Pieces of blocks of ours, by the name of the plugin. */
      readonly blocks: Readonly<Record<string, JsonObject>>;
      /** Settings of the routes themselves. */
      readonly route?: JsonObject;
    }
  | { readonly missing: string };

/** What is known of a plugin of Kong, under its name there. */
export interface PluginReader {
  /** What it does when its configuration says nothing of these. */
  readonly defaults: JsonObject;
  /** @param config the plugin's own settings */
  read(config: KongEntity, tell: Tell): PluginReading;
}

/** A report about one subject. */
export class Tell {
  readonly #report: ImportReport;
  readonly #subject: string;

  constructor(report: ImportReport, subject: string) {
    this.#report = report;
    this.#subject = subject;
  }

  approximated(what: string): void {
    this.#report.approximated(this.#subject, what);
  }

  leftOut(what: string): void {
    this.#report.leftOut(this.#subject, what);
  }
}

export const Texts = z.array(z.string());
