/**
 * A backup at the wrong time: a process on the database's host writes and syncs without end.
 *
 * The disk of this machine may be fast enough for both, so a commit is made 120 ms longer as well, as it would be on a shared disk.
 */
import type { Fault } from "./fault.ts";

export const fault: Fault = {
  name: "slow-disk",
  does: {
    en: "a backup writes and syncs on the database's host; each commit takes 120 ms longer",
    zh: "数据库主机上的备份进程不停写盘并同步，每次提交多耗时 120 毫秒",
  },
  cause: { kind: "process", name: "backup", host: "db-01", resource: "disk" },
  seconds: 180,
  async start(bank) {
    await bank.run("db-01", "write", "backup");
    await bank.turn("database", { commitMs: 120 });
  },
  stop: (bank) => bank.restore(),
};
