/**
 * Which mounted filesystems are worth watching, out of /proc/<pid>/mountinfo (proc_pid_mountinfo(5)). Pure.
 *
 * Left out: pseudo filesystems, images that are full by nature (squashfs, iso9660), and network and fuse filesystems,
 * where a dead server makes statfs hang: those are counted as skipped. A filesystem that is mounted at several places
 * (bind mounts, btrfs subvolumes) is told once, at its shortest path. At most 64.
 */
export interface Mount {
  readonly mountpoint: string;
  readonly device: string;
  readonly type: string;
  readonly readOnly: boolean;
}

export interface Mounts {
  readonly kept: readonly Mount[];
  /** Network, fuse, and what is beyond the limit of 64. */
  readonly skipped: number;
}

const mountsMax = 64;
/** Full from the day they were made. */
const images = new Set(["squashfs", "iso9660", "udf", "erofs", "cramfs", "romfs"]);
/** Real ones without a block device of their own. */
const withoutDevice = new Set(["btrfs", "zfs", "bcachefs", "ubifs", "jffs2"]);
/** Memory, but services stop when it is full. */
const watchedTmpfs = new Set(["/run", "/tmp", "/dev/shm"]);
const network =
  /^(nfs\d?|cifs|smb3?|smbfs|ceph|9p|afs|lustre|gpfs|ocfs2|gfs2|glusterfs|beegfs|fuse(\..*)?|virtiofs)$/;

interface Line extends Mount {
  readonly major: number;
  /** What makes two mounts the same filesystem. */
  readonly identity: string;
  /** The part of the filesystem that is mounted; "/" for all of it. */
  readonly root: string;
}

export function parseMounts(text: string): Mounts {
  const byPath = new Map<string, Line>();
  for (const line of text.split("\n")) {
    const parsed = parseLine(line);
    // The last one mounted at a path hides those before.
    if (parsed !== undefined) byPath.set(parsed.mountpoint, parsed);
  }
  let skipped = 0;
  const byIdentity = new Map<string, Line>();
  for (const line of byPath.values()) {
    if (network.test(line.type)) skipped += 1;
    else if (isWatched(line)) {
      const other = byIdentity.get(line.identity);
      if (other === undefined || isBetter(line, other)) byIdentity.set(line.identity, line);
    }
  }
  const kept = [...byIdentity.values()].map(({ mountpoint, device, type, readOnly }) => {
    return { mountpoint, device, type, readOnly };
  });
  return { kept: kept.slice(0, mountsMax), skipped: skipped + Math.max(0, kept.length - mountsMax) };
}

/** Undefined for a line that is not of this form: it loses nothing but itself. */
function parseLine(line: string): Line | undefined {
  const [before, after] = line.split(" - ", 2);
  const [, , numbers, root, mountpoint, options] = (before ?? "").split(" ");
  const [type, source, superOptions] = (after ?? "").split(" ");
  if (numbers === undefined || mountpoint === undefined || type === undefined || type === "")
    return undefined;
  const device = unescapeOctal(source ?? "");
  return {
    mountpoint: unescapeOctal(mountpoint),
    device,
    type,
    readOnly: hasReadOnly(options) || hasReadOnly(superOptions),
    major: Number.parseInt(numbers, 10),
    identity: type === "btrfs" ? device : numbers,
    root: root ?? "/",
  };
}

/** Space, tab, newline and backslash are written in octal: "\040". */
function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}

function hasReadOnly(options: string | undefined): boolean {
  return options?.split(",").includes("ro") ?? false;
}

function isWatched({ type, major, mountpoint }: Line): boolean {
  if (images.has(type)) return false;
  if (type === "tmpfs") return watchedTmpfs.has(mountpoint);
  // A container's own root; on a container host every other one is a part of a filesystem that is told already.
  if (type === "overlay") return mountpoint === "/";
  return major !== 0 || withoutDevice.has(type);
}

function isBetter(line: Line, other: Line): boolean {
  if ((line.root === "/") !== (other.root === "/")) return line.root === "/";
  return line.mountpoint.length < other.mountpoint.length;
}
