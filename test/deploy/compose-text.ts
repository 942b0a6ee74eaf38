/**
 * Reads the part of YAML that our compose file uses: mappings and lists by indentation, flow lists of scalars, comments. Anything else
 * is an error, so that the file stays readable by everyone's parser. Not for YAML from elsewhere.
 */
export type Yaml = string | Yaml[] | Map<string, Yaml>;

interface Line {
  readonly indent: number;
  readonly text: string;
  readonly number: number;
}

export function parseYaml(text: string): Yaml {
  const lines = text.split("\n").flatMap((raw, index): Line[] => {
    const line = raw.replace(/(?:^|\s)#.*$/, "").trimEnd();
    if (line.includes("\t")) throw new Error(`line ${index + 1}: a tab indents nothing in YAML`);
    return line === ""
      ? []
      : [{ indent: line.length - line.trimStart().length, text: line.trimStart(), number: index + 1 }];
  });
  const [value, rest] = block(lines, lines[0]?.indent ?? 0);
  if (rest[0] !== undefined) throw new Error(`line ${rest[0].number}: indented less than its block`);
  return value;
}

function block(lines: readonly Line[], indent: number): [Yaml, readonly Line[]] {
  return lines[0]?.text.startsWith("- ") === true ? list(lines, indent) : mapping(lines, indent);
}

function list(lines: readonly Line[], indent: number): [Yaml[], readonly Line[]] {
  const items: Yaml[] = [];
  let rest = lines;
  while (rest[0]?.indent === indent && rest[0].text.startsWith("- ")) {
    items.push(scalar(rest[0].text.slice(2), rest[0].number));
    rest = rest.slice(1);
  }
  return [items, rest];
}

function mapping(lines: readonly Line[], indent: number): [Map<string, Yaml>, readonly Line[]] {
  const entries = new Map<string, Yaml>();
  let rest = lines;
  while (rest[0]?.indent === indent) {
    const [line] = rest as [Line];
    const [, key, inline] = /^([\w.-]+):(?: (.+))?$/.exec(line.text) ?? [];
    if (key === undefined || entries.has(key))
      throw new Error(`line ${line.number}: want a new "key:", got ${line.text}`);
    rest = rest.slice(1);
    if (inline !== undefined) entries.set(key, scalar(inline, line.number));
    else if ((rest[0]?.indent ?? -1) > indent) {
      const [value, after] = block(rest, rest[0]!.indent);
      entries.set(key, value);
      rest = after;
    } else entries.set(key, "");
  }
  const next = rest[0];
  if (next !== undefined && next.indent > indent)
    throw new Error(`line ${next.number}: indented more than its block`);
  return [entries, rest];
}

function scalar(text: string, number: number): Yaml {
  const flow = /^\[(.*)\]$/.exec(text)?.[1];
  if (flow !== undefined)
    return flow.split(/,\s*(?=(?:[^"]*"[^"]*")*[^"]*$)/).map((item) => scalar(item.trim(), number));
  if (/^[&*!|>%@`{]/.test(text)) throw new Error(`line ${number}: ${text}: not used here`);
  return text.replace(/^(["'])(.*)\1$/, "$2");
}

/** The value at a path of keys; undefined when it is not there. */
export function at(yaml: Yaml | undefined, ...keys: readonly string[]): Yaml | undefined {
  let value = yaml;
  for (const key of keys) value = value instanceof Map ? value.get(key) : undefined;
  return value;
}
