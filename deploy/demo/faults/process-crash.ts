/** The login service dies and does not come back until the fault ends. */
import type { Fault } from "./fault.ts";

export const fault: Fault = {
  name: "process-crash",
  does: {
    en: "the login service is killed and stays down",
    zh: "登录服务进程被杀死且没有恢复",
  },
  cause: { kind: "service", name: "login", host: "app-01", resource: "process" },
  seconds: 180,
  start: (bank) => bank.down("login"),
  stop: (bank) => bank.restore(),
};
