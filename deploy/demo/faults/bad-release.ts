/** Two releases within a moment: a harmless one of login, and one of the risk service that is slower and fails now and then. */
import type { Fault } from "./fault.ts";

export const fault: Fault = {
  name: "bad-release",
  does: {
    en: "a release makes the risk service 60 ms slower and fail one check in ten; one of login is harmless",
    zh: "风控服务的新版本变慢 60 毫秒并有十分之一的检查失败；登录服务同时发布的版本无害",
  },
  cause: { kind: "service", name: "risk", host: "app-02", resource: "cpu", change: "risk 4.2.0" },
  seconds: 180,
  async start(bank) {
    await bank.note({ kind: "release", service: "risk", title: "risk 4.2.0", by: "release-train" });
    await bank.note({ kind: "release", service: "login", title: "login 2.9.1", by: "release-train" });
    await bank.turn("risk", { slowerMs: 60, failing: { share: 0.1, code: "S500" } });
  },
  stop: (bank) => bank.restore(),
};
