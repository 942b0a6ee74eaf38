/** Reads an entity's id as an incident gives it: `process:HOST/PID/NAME`, `filesystem:HOST/MOUNT`. */
export function parseEntity(id: string) {
  const [, kind = "", host = "", name = ""] = /^(\w+):([^/]*)\/?(.*)$/s.exec(id) ?? [];
  return {
    kind,
    host,
    name,
    isProcess: (pid: number) => kind === "process" && name.startsWith(`${pid}/`),
  };
}
