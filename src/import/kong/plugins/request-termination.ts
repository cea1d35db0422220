import { z } from "zod";
import type { PluginReader } from "./plugin-reader.ts";

/** What Kong says where the file gives no text. */
const MESSAGES: Readonly<Record<number, string>> = {
  400: "Bad request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not found",
  405: "Method not allowed",
  410: "Gone",
  429: "Too many requests",
  500: "An unexpected error occurred",
  502: "Bad Gateway",
  503: "Service unavailable",
};
const JSON_TYPE = "application/json; charset=utf-8";

/** Kong answers by itself, with a text of the file or a message in JSON. */
export const requestTermination: PluginReader = {
  defaults: { echo: false },
  read(config) {
    if (config.read("trigger", z.string(), "") !== "") return { missing: "only some requests are ended, by a trigger" };
    const status = config.read("status_code", z.int(), 503);
    const message = config.read("message", z.string(), MESSAGES[status] ?? "");
    const body = config.read("body", z.string(), JSON.stringify({ message }));
    const type = config.read("content_type", z.string(), JSON_TYPE);
    return { blocks: { static: { status, headers: { "Content-Type": type }, body } } };
  },
};
