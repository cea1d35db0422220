const PATTERN = /^\$\{(env|file):([^}]+)\}$/;

/** Whether the whole text is a secret reference: `${env:NAME}` or `${file:PATH}`. */
export function isSecretReference(text: string): boolean {
  return PATTERN.test(text);
}
