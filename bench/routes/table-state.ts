import type { Resource } from "../../src/config/resource.ts";

/** Where route `n` is asked for. It is a prefix that is taken off, so it is found by a walk, and the origin is asked for `/`. */
export const pathOf = (n: number) => `/api/v1/r${n}`;

/** The resources of a gateway with so many routes on one host, all of them to one origin. In canonical order but for the ids. */
export function tableState(routes: number, originPort: number, listenPort: number): Resource[] {
  return [
    { kind: "listener", id: "http", spec: { address: `127.0.0.1:${listenPort}` } },
    ...Array.from({ length: routes }, (_, n) => route(`r${n}`, pathOf(n))),
    { kind: "upstream", id: "origin", spec: { backends: [{ url: `http://127.0.0.1:${originPort}` }] } },
  ];
}

export function route(id: string, path: string): Resource {
  return { kind: "route", id, spec: { path, path_prefix: true, strip_prefix: true, upstream: "origin" } };
}
