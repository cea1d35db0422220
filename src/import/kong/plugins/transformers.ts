import { z } from "zod";
import type { JsonObject } from "../../../config/json.ts";
import type { KongEntity } from "../kong-entity.ts";
import { type PluginReader, type Tell, Texts } from "./plugin-reader.ts";

const STEPS = ["remove", "rename", "replace", "add", "append"] as const;
/** Kong fills in what stands in `$(…)`, and a word after `$` is a variable here. */
const FILLED_IN = /\$[a-z_(]/;

export const requestTransformer = transformer("request");
export const responseTransformer = transformer("response");

/** Headers alone are changed here: removed, set, and added to what is there. */
function transformer(side: "request" | "response"): PluginReader {
  return {
    defaults: {},
    read(config, tell) {
      const headers = headerChanges(config, tell);
      if (Object.keys(headers).length === 0) return { missing: "it changes nothing that can be changed here" };
      return { blocks: { transform: { [side]: { headers } } } };
    },
  };
}

function headerChanges(config: KongEntity, tell: Tell): JsonObject {
  const listed = (step: (typeof STEPS)[number]) => headersOf(config, step, tell);
  if (listed("rename").length > 0) tell.leftOut("headers are not renamed");
  const [replaced, missing] = [pairs(listed("replace"), tell), pairs(listed("add"), tell)];
  if (replaced.length > 0) tell.approximated("a header that is replaced is set where there was none, too");
  if (missing.length > 0) tell.approximated("a header that is added takes the place of one that is there");
  const remove = listed("remove").map((text) => text.replace(/:.*$/s, ""));
  const set = Object.fromEntries([...missing, ...replaced]);
  const add = Object.fromEntries(pairs(listed("append"), tell));
  return {
    ...(remove.length > 0 ? { remove } : {}),
    ...(Object.keys(set).length > 0 ? { set } : {}),
    ...(Object.keys(add).length > 0 ? { add } : {}),
  };
}

/** What a step says of headers; what it says of anything else is left out. */
function headersOf(config: KongEntity, step: string, tell: Tell): readonly string[] {
  const parts = config.read(step, z.record(z.string(), z.unknown()), {});
  for (const [part, value] of Object.entries(parts)) {
    const isSaid = Array.isArray(value) ? value.length > 0 : value !== null;
    if (part !== "headers" && isSaid) tell.leftOut(`${step}.${part}: headers alone are changed`);
  }
  return Texts.catch([]).parse(parts.headers ?? []);
}

function pairs(texts: readonly string[], tell: Tell): [string, string][] {
  return texts.flatMap((text) => {
    const [, name = "", value = ""] = /^([^:]*):(.*)$/s.exec(text) ?? [];
    if (!FILLED_IN.test(value)) return name === "" ? [] : [[name, value.trim()] as [string, string]];
    tell.leftOut(`the header ${name}, whose value is made up for each request`);
    return [];
  });
}
