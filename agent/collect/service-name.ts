/**
 * Which service a process belongs to: its container, else its systemd unit, else the name of its program. Pure.
 *
 * The control group is the one identity that needs no configuration and survives a restart. /proc/<pid>/cgroup has a
 * line per hierarchy (version 1) or one in all (version 2): `4:memory:/system.slice/nginx.service`,
 * `0::/system.slice/nginx.service`. What people start at a shell or by cron (everything under user.slice) has a
 * session number for a unit, another one each time: there the program's name says more. The command line is never
 * looked at: passwords stand there.
 */
export type ServiceSource = "systemd" | "container" | "executable";

export interface ServiceIdentity {
  readonly name: string;
  readonly source: ServiceSource;
}

/** Docker, containerd, CRI-O and Podman all name a container by 64 hexadecimal digits somewhere in the path. */
const containerId = /(?:^|[^0-9a-f])([0-9a-f]{64})(?![0-9a-f])/;
const unit = /\/([^/]+\.(?:service|scope))(?=\/|$)/;
const shortIdLength = 12;

/** `cgroup`: the text of /proc/<pid>/cgroup, "" if it cannot be read. `executable`: the comm of /proc/<pid>/stat. */
export function serviceOf(cgroup: string, executable: string): ServiceIdentity {
  const container = containerId.exec(cgroup)?.[1];
  if (container !== undefined) return { name: container.slice(0, shortIdLength), source: "container" };
  const path = unitPath(cgroup);
  const name = path.startsWith("/user.slice") ? undefined : unit.exec(path)?.[1];
  if (name !== undefined) return { name: unescapeUnit(name), source: "systemd" };
  return { name: executable === "" ? "unnamed" : executable, source: "executable" };
}

/** The short name of a control group's directory: a container's id or a unit; undefined if it is neither. */
export function cgroupName(directory: string): string | undefined {
  const container = containerId.exec(directory)?.[1];
  if (container !== undefined) return container.slice(0, shortIdLength);
  return /\.(?:service|scope)$/.test(directory) ? unescapeUnit(directory) : undefined;
}

/** The path in the hierarchy that systemd keeps: version 2's if it is used, else version 1's named one. */
function unitPath(cgroup: string): string {
  let named = "";
  for (const line of cgroup.split("\n")) {
    const path = line.slice(line.indexOf(":", line.indexOf(":") + 1) + 1);
    if (line.startsWith("0::") && path !== "/" && path !== "") return path;
    if (line.includes(":name=systemd:")) named = path;
  }
  return named;
}

/** systemd writes what a file name must not hold as "\x2d". */
function unescapeUnit(name: string): string {
  return name.replace(/\\x([0-9a-f]{2})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 16)),
  );
}
