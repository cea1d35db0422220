/** Which members a group has, where most groups have one: a member alone costs no set. */
export class Groups {
  readonly #members = new Map<string, string | Set<string>>();

  add(group: string, member: string): void {
    const members = this.#members.get(group);
    if (members === undefined) this.#members.set(group, member);
    else if (members instanceof Set) members.add(member);
    else if (members !== member) this.#members.set(group, new Set([members, member]));
  }

  delete(group: string, member: string): void {
    const members = this.#members.get(group);
    if (members instanceof Set) members.delete(member);
    if (members === member || (members instanceof Set && members.size === 0)) this.#members.delete(group);
  }

  of(group: string): Iterable<string> {
    const members = this.#members.get(group);
    return typeof members === "string" ? [members] : (members ?? []);
  }
}
