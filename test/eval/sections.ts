/** A page of several evaluations: each writes the section under its own heading, and leaves the others' as they are. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";

/** `section` begins with its heading, `# ...`; it takes the place of the one with the same heading, or comes last. */
export function withSection(page: string, section: string): string {
  const sections = page.split(/^(?=# )/m).filter((part) => part.trim() !== "");
  const heading = (part: string): string => part.slice(0, part.indexOf("\n"));
  const place = sections.findIndex((part) => heading(part) === heading(section));
  if (place < 0) sections.push(section);
  else sections[place] = section;
  return `${sections.map((part) => part.trimEnd()).join("\n\n")}\n`;
}

export function writeSection(path: string, section: string): void {
  writeFileSync(path, withSection(existsSync(path) ? readFileSync(path, "utf8") : "", section));
}
