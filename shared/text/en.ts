/** English sentences of incidents, causes and reasons. Keys are part of the contract: never reuse one for another meaning. */
export const en = {
  "incident.cause": "{symptom} on {host} because {cause}",
  "incident.unknown": "{symptom} on {host}; cause not identified",
  "incident.silent": "{host} is silent: {cause}",

  "symptom.cpu": "CPU is {value|unit} busy (expected at most {high|unit})",
  "symptom.memory": "Memory is {value|unit} used (expected at most {high|unit})",
  "symptom.disk": "Disk is {value|unit} busy (expected at most {high|unit})",
  "symptom.space": "Filesystem {name} is {value|unit} full (expected at most {high|unit})",
  "symptom.network": "Network errors rose to {value|unit} (expected at most {high|unit})",
  "symptom.port": "{name} stopped listening",
  "symptom.silence": "No data for {silent|duration}",
  "symptom.pressure": "Work waits for {resource} {value|unit} of the time (expected at most {high|unit})",
  "symptom.other": "{metric} is {value|unit} (expected {low|unit} to {high|unit})",
} as const;

export type Catalogue = { readonly [K in keyof typeof en]: string };
