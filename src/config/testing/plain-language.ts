import { Language } from "../language.ts";

/** The language without plugins. */
export const plainLanguage = new Language([]);
