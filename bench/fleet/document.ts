/**
 * A configuration of `routes` routes as a document. Two revisions differ in one setting of one route, so that what is
 * measured is the way of a small change through a large configuration.
 */
export function renderDocument(routes: number, revision: number): string {
  const blocks = Array.from({ length: routes }, (_, index) => renderRoute(index, index === 0 ? revision : 0));
  return `routes:\n${blocks.join("")}`;
}

/** What changes the route that differs between revisions, as a JSON merge patch. */
export const CHANGED_ROUTE = "service-0";
export function renderChange(revision: number): string {
  return JSON.stringify({ timeout_policy: { request: `${30_000 + revision}ms` } });
}

/** Addresses from 192.0.2.0/24, which is for documentation: no node of the benchmark ever connects to one. */
function renderRoute(index: number, revision: number): string {
  return `  - id: service-${index}
    path: /service-${index}
    path_prefix: true
    strip_prefix: true
    methods: [GET, POST]
    timeout_policy:
      request: ${30_000 + revision}ms
    backends:
      - url: http://192.0.2.${(index % 250) + 1}:8080
        weight: 3
      - url: http://192.0.2.${(index % 250) + 1}:8081
`;
}
