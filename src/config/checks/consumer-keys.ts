import { formatPath } from "../problem-path.ts";
import { type Check, problemOf } from "./check.ts";

/** A key that clients send tells of one consumer: no two have the same, or one would pass for the other. */
export const consumerKeys: Check = function* ({ consumers, language }) {
  const owners = new Map<string, string>();
  for (const { id, credentials } of consumers)
    for (const { plugin, path, key } of language.keysOf(credentials)) {
      const own = `${plugin} ${key}`;
      const owner = owners.get(own);
      if (owner === undefined) owners.set(own, `${formatPath(["consumers", id])}.${path}`);
      else yield problemOf("consumer", id, path, `is the same as ${owner}, so nobody could tell who is meant`);
    }
};
