import type { Language } from "../../config/language.ts";

/** The language with every plugin of the house. It takes a while to load, for which no other command should wait. */
export async function houseLanguage(): Promise<Language> {
  const { Language } = await import("../../config/language.ts");
  const { PLUGINS } = await import("../../plugins/index.ts");
  return new Language(PLUGINS);
}
