import { caddy } from "./caddy.ts";
import { fastify } from "./fastify.ts";
import { haproxy } from "./haproxy.ts";
import { nginx } from "./nginx.ts";
import { nginxLua } from "./nginx-lua.ts";
import { runway } from "./runway.ts";
import type { Subject } from "./subject.ts";

/** Everything that `--subjects` can name. */
export const SUBJECTS: readonly Subject[] = [runway, nginxLua, haproxy, caddy, fastify, nginx];

/** @throws Error naming the subjects that there are. */
export function findSubject(name: string): Subject {
  const subject = SUBJECTS.find((each) => each.name === name);
  if (subject !== undefined) return subject;
  throw new Error(`there is no subject "${name}"; choose from ${SUBJECTS.map((each) => each.name).join(", ")}`);
}
