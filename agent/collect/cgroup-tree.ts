/**
 * Which control groups there are: units and containers, found by walking the hierarchy's directories.
 *
 * Version 2 is one tree. Version 1 is a tree per controller with the same paths in each; one of them is walked. A
 * machine may have both (hybrid): then the controllers are where version 1 has them, and its empty unified tree is
 * left alone. Not entered: what lies within a user's sessions, and within a unit or container once that is found.
 * Bounds: `cgroupsMax` groups, `directoriesMax` directories looked at; what is beyond is counted in `skipped`.
 */
import { existsSync, readdirSync } from "node:fs";
import { isAbsent, isForbidden } from "./proc-file.ts";
import { cgroupName } from "./service-name.ts";

const cgroupsMax = 200;
const directoriesMax = 5_000;
/** kubepods.slice / burstable / pod / container are four; systemd's slices may nest. */
const depthMax = 8;

/** Version 1's controllers that are read; where each is mounted below the root of all. */
const controllers = ["cpu", "cpuacct", "memory", "pids"] as const;
export type Controller = (typeof controllers)[number];

/** Where each controller's tree begins. In version 2 all are the same directory. */
export interface CgroupRoots {
  readonly version: 1 | 2;
  readonly of: Readonly<Partial<Record<Controller, string>>>;
}

/** Undefined if there are no control groups, or none with a controller that we read. */
export function findCgroupRoots(sysRoot: string): CgroupRoots | undefined {
  const base = `${sysRoot}/fs/cgroup`;
  if (existsSync(`${base}/cgroup.controllers`)) {
    return { version: 2, of: { cpu: base, cpuacct: base, memory: base, pids: base } };
  }
  const of: Partial<Record<Controller, string>> = {};
  for (const controller of controllers) {
    // Often mounted together, as "cpu,cpuacct", with a link for each.
    const path = [controller, "cpu,cpuacct"]
      .map((name) => `${base}/${name}`)
      .find((place) => existsSync(place));
    if (path !== undefined && (path.endsWith(controller) || controller.startsWith("cpu")))
      of[controller] = path;
  }
  return Object.keys(of).length === 0 ? undefined : { version: 1, of };
}

export interface CgroupList {
  /** Path below the root, beginning with "/", by the short name that it is told under. */
  readonly paths: ReadonlyMap<string, string>;
  readonly skipped: number;
}

export function listCgroups(root: string): CgroupList {
  const paths = new Map<string, string>();
  let skipped = 0;
  let directories = 0;
  let level = [""];
  for (let depth = 0; depth < depthMax && level.length > 0; depth += 1) {
    const next: string[] = [];
    for (const parent of level) {
      for (const name of subdirectories(root + parent)) {
        directories += 1;
        const path = `${parent}/${name}`;
        const short = nameOf(parent, name);
        if (directories > directoriesMax) skipped += 1;
        else if (short === undefined) next.push(path);
        else if (paths.size >= cgroupsMax && !paths.has(short)) skipped += 1;
        // Of two with one name (a unit in two trees of version 1) the first is told.
        else if (!paths.has(short)) paths.set(short, path);
      }
    }
    level = next.filter((path) => !isPrivate(path));
  }
  return { paths, skipped };
}

/** Undefined for what only holds others together. */
function nameOf(parent: string, name: string): string | undefined {
  if (parent.endsWith("/user.slice") || parent === "/user.slice")
    return name.endsWith(".slice") ? name : undefined;
  return cgroupName(name);
}

/**
 * What a user runs is told as the user's slice; libpod and systemd keep helpers in directories that are no service's.
 */
function isPrivate(path: string): boolean {
  return /^\/user\.slice\/./.test(path) || path === "/init.scope";
}

function subdirectories(path: string): string[] {
  try {
    const entries = readdirSync(path, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  } catch (error) {
    // Removed since its parent was listed, or not ours to see.
    if (isAbsent(error) || isForbidden(error)) return [];
    throw error;
  }
}
