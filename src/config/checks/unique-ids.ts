import type { Problem } from "../problem.ts";
import { joinPath } from "../problem-path.ts";
import { type Resource, resourceKey } from "../resource.ts";

/** Every id names one resource of its kind. `path` is where in the document it stands, or empty. */
export function* uniqueIds(
  resources: Iterable<Pick<Resource, "kind" | "id"> & { readonly path: string }>,
): Generator<Problem> {
  const owners = new Map<string, string>();
  for (const { kind, id, path } of resources) {
    const owner = owners.get(resourceKey({ kind, id }));
    if (owner === undefined) owners.set(resourceKey({ kind, id }), path);
    else {
      const other = owner === "" ? `another ${kind}` : owner;
      yield { kind, id, path: joinPath(path, "id"), message: `${other} has the id "${id}" too; ids have to be unique` };
    }
  }
}
