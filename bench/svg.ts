type Attributes = Readonly<Record<string, string | number>>;

/** @param children as they are; text has to go through `text`. */
export function element(name: string, attributes: Attributes, children: readonly string[] = []): string {
  const written = Object.entries(attributes).map(([key, value]) => ` ${key}="${escapeMarkup(String(value))}"`);
  return `<${name}${written.join("")}>${children.join("\n")}</${name}>`;
}

export function text(content: string, attributes: Attributes): string {
  return element("text", attributes, [escapeMarkup(content)]);
}

const ESCAPES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

function escapeMarkup(content: string): string {
  return content.replace(/[&<>"]/g, (character) => ESCAPES[character]!);
}
