/** Names a value that plugins keep with a request; made once by `createContextKey`, and the only way to the value. */
export interface ContextKey<Value> {
  readonly description: string;
  readonly initial: Value;
}

/** `initial` is what a request has until somebody sets another value; it should not be changed in place. */
export function createContextKey<Value>(description: string, initial: Value): ContextKey<Value> {
  return { description, initial };
}
