/** Simplified Chinese; its keys are those of `en.ts`. */
import type { Catalogue } from "./en.ts";

export const zhCN: Catalogue = {
  "incident.cause": "{host} 上{symptom},原因是{cause}",
  "incident.unknown": "{host} 上{symptom};原因未能确定",
  "incident.silent": "{host} 没有上报数据:{cause}",

  "symptom.cpu": "CPU 使用率 {value|unit}(预期不超过 {high|unit})",
  "symptom.memory": "内存使用率 {value|unit}(预期不超过 {high|unit})",
  "symptom.disk": "磁盘繁忙 {value|unit}(预期不超过 {high|unit})",
  "symptom.space": "文件系统 {name} 已用 {value|unit}(预期不超过 {high|unit})",
  "symptom.network": "网络错误升至 {value|unit}(预期不超过 {high|unit})",
  "symptom.port": "{name} 停止监听",
  "symptom.silence": "已 {silent|duration} 没有数据",
  "symptom.pressure": "等待{resource}的时间占 {value|unit}(预期不超过 {high|unit})",
  "symptom.other": "{metric} 为 {value|unit}(预期 {low|unit} 至 {high|unit})",
};
