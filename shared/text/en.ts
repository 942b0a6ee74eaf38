/** English sentences of incidents, causes and reasons. Keys are part of the contract: never reuse one for another meaning. */
export const en = {
  "incident.cause": "{symptom} on {host} because {cause}",
  "incident.plain": "{symptom} on {host}",
  "incident.unknown": "{symptom} on {host}; cause not identified",
  "incident.hosts": "{symptom} on {host} and {more} more because {cause}",
  "incident.hosts_unknown": "{symptom} on {host} and {more} more; cause not identified",
  "incident.cause_change": "{symptom} on {host} because {cause}, after the change “{change}” of {target}",
  "incident.hosts_change":
    "{symptom} on {host} and {more} more because {cause}, after the change “{change}” of {target}",
  "incident.silent": "{host} is silent: {cause}",
  "incident.group": "All {hosts} hosts of {group}: {symptom}",
  "incident.group_most": "{hosts} of the {members} hosts of {group}: {symptom}",
  "incident.place": "{hosts} hosts of {group}: {symptom}",
  "incident.partition": "{hosts} hosts cannot be reached: {cause}",

  "symptom.cpu": "CPU is {value|unit} busy (expected at most {high|unit})",
  "symptom.memory": "Memory is {value|unit} used (expected at most {high|unit})",
  "symptom.memory_stall": "Work waits for memory {value|unit} (expected at most {high|unit})",
  "symptom.oom": "The kernel killed processes for lack of memory",
  "symptom.disk": "Disk {name} is busy {value|percent} of the time (expected at most {high|percent})",
  "symptom.disk_stall": "Work waits for disks {value|percent} of the time (expected at most {high|percent})",
  "symptom.space": "Filesystem {name} is {value|unit} full (expected at most {high|unit})",
  "symptom.space_forecast":
    "Filesystem {name} will be full in {left|duration} (between {early|duration} and {late|duration})",
  "symptom.inodes_forecast":
    "Filesystem {name} will have no inodes left in {left|duration} (between {early|duration} and {late|duration})",
  "symptom.memory_forecast":
    "Memory will be used up in {left|duration} (between {early|duration} and {late|duration})",
  "symptom.part_memory_forecast":
    "Memory of {name} will reach its limit in {left|duration} (between {early|duration} and {late|duration})",
  "symptom.part_forecast":
    "Memory of {name} grows: the host's will be used up in {left|duration} (between {early|duration} and {late|duration})",
  "symptom.expiry": "Certificate {name} expires in {left|duration}",
  "symptom.expired": "Certificate {name} has expired",
  "symptom.network": "Network trouble on {name}: {value|unit} (expected at most {high|unit})",
  "symptom.port": "{name} stopped listening",
  "symptom.silence": "No data for {silent|duration}",
  "symptom.latency": "Answers take {value|unit} (expected at most {high|unit})",
  "symptom.host": "The host as a whole behaves unlike itself (most unlike: {metrics})",
  "symptom.failed_requests": "{bad} of {events} requests of {name} failed in the last {window|duration}",
  "symptom.failed_transactions":
    "{bad} of {events} transactions of {name} failed in the last {window|duration}",
  "symptom.failed_where": "{bad} of {events} transactions with {where} failed in the last {window|duration}",
  "symptom.failed_all": "{bad} of {events} transactions failed in the last {window|duration}",
  "symptom.refused_requests":
    "{bad} of {events} requests of {name} were refused in the last {window|duration}",
  "symptom.refused_transactions":
    "{bad} of {events} transactions of {name} were refused in the last {window|duration}",
  "symptom.refused_where":
    "{bad} of {events} transactions with {where} were refused in the last {window|duration}",
  "symptom.refused_all": "{bad} of {events} transactions were refused in the last {window|duration}",
  "symptom.no_requests": "{name} has had no requests for {window|duration} (about {expected} would be usual)",
  "symptom.no_transactions":
    "{name} has had no transactions for {window|duration} (about {expected} would be usual)",
  "symptom.few_requests":
    "{name} has had only {events} requests in {window|duration} (about {expected} would be usual)",
  "symptom.few_transactions":
    "{name} has had only {events} transactions in {window|duration} (about {expected} would be usual)",
  "symptom.queue": "Work queues up at {name}: {metric} is {value|unit} (expected at most {high|unit})",
  "symptom.other": "{metric} is {value|unit} (expected {low|unit} to {high|unit})",

  "cause.process.cpu": "process {process} (pid {pid}) uses {causeValue|percent} of a core",
  "cause.process.memory": "process {process} (pid {pid}) holds {causeValue|causeUnit}",
  "cause.process.disk": "process {process} (pid {pid}) moves {causeValue|causeUnit} to or from disk",
  "cause.part.cpu": "{causeName} uses {causeValue|percent} of a core",
  "cause.part.memory": "{causeName} holds {causeValue|causeUnit}",
  "cause.part.disk": "{causeName} moves {causeValue|causeUnit} to or from disk",
  "cause.port": "{causeName} stopped listening",
  "cause.agent_died": "its agent died and the host still answers",
  "cause.unreachable": "the host is down or cannot be reached",
  "cause.partition":
    "the network between them and the collector, or what else they share, is the likely cause",
  "cause.partition_all":
    "the network between them and the collector, or the collector itself, is the likely cause",
  "cause.partition_network":
    "all of network {network} is silent, so the way to it, or what its hosts share, is the likely cause",
  "cause.group":
    "the hosts of {group} show it together, so what they share is the likely cause: their load, what they all use, or a change to all of them",
  "cause.space": "what is stored on {causeName} grew to {causeValue|causeUnit}",
  "cause.expiry": "certificate {causeName} has not been renewed",
  "cause.origin": "it began at {causeName}, and nothing that it calls is abnormal",
  "cause.host": "{causeName} as a whole behaves unlike itself; most unlike: {metrics}",
  "cause.way": "calls from {caller} to {callee} spend {causeValue|causeUnit} on their way",
  "cause.answer": "{callee} answers {caller} after {causeValue|causeUnit}",
  "cause.other": "{causeName} shows {causeMetric}: {causeValue|causeUnit}",

  "counter.unexplained": "{share|percent} of the rise is not explained by it",
  "counter.late": "it began {late|duration} after the first symptom",
  "counter.rival": "{entity} explains as much",
  "counter.no_share": "how much of the symptom it accounts for cannot be measured here",

  "impact.unknown": "Effect on customers is not known: no transaction metrics are collected for {host}",
  "impact.blind": "Nothing is known about {host} since it fell silent",
  "impact.blind_hosts": "Nothing is known about {hosts} hosts since they fell silent",

  "impact.unknown_hosts":
    "Effect on customers is not known for {hosts} hosts: no transaction metrics are collected there",

  "story.after_change": "{cause}, {before|duration} after the change “{change}” of {target}",

  "ruled.weaker": "{entity} explains more",
  "ruled.unconnected": "abnormal at the same time, and nothing shows that the rest comes from it",
  "ruled.change_late": "the change “{change}” was made {late|duration} after it began",
  "ruled.change_elsewhere": "the change “{change}” was made elsewhere: nothing abnormal is connected with it",
  "ruled.change_calm": "the change “{change}” was made nearby, and what was changed shows nothing abnormal",
  "ruled.change_weaker": "the change “{change}” was made here, and what it changed explains less",

  "anomaly.head": "{host}: {what} {reading}",
  "anomaly.head_of": "{host}: {what} ({labels}) {reading}",
  "anomaly.between": "is {value}, expected {low} to {high}",
  "anomaly.at_most": "is {value}, expected at most {high}",
  "anomaly.at_least": "is {value}, expected at least {low}",
  "anomaly.flat": "stands still at {value}",
  "anomaly.silent": "{host}: no data for {silent|duration}",
  "anomaly.but": "but {reason}",
  "anomaly.complete": "{share|percent} of the samples were there",

  "day.workday": "working days",
  "day.restday": "days of rest",
  "day.month_end": "the last business days of a month",
  "day.other": "days of the class {day}",

  "reason.look": "{deviations} usual deviations from what it was before",
  "reason.level": "{times} times as far off as what is already unusual",
  "reason.far": "more than a thousand times as far off as what is already unusual",
  "reason.record": "larger than any deviation in the {known|duration} known",
  "reason.flat":
    "it has stood exactly still for {still|duration}; in the {known|duration} known it never did for longer than {longest|duration}",
  "reason.new": "it was not there before",
  "reason.hour": "compared with {hour}:00 on {day|day}",
  "reason.lately": "compared with the last {span|duration}",
  "reason.mean": "it has lasted for hours: the mean of that time was never so far off",
  "reason.jump": "it never jumped so far from one moment to the next",
  "reason.restless": "it never was so restless",
  "reason.seen": "a deviation of this size was seen before",
  "reason.similar":
    "it was as far off {count} times in the last {span|duration}, most recently {last|duration} ago",
  "reason.similar_once": "it was as far off {last|duration} ago",
  "reason.similar_daily":
    "it was as far off {count} times in the last {span|duration}, each time at this time of day",
  "reason.bound": "beyond {bound|unit}, where trouble is certain",
  "reason.forecast":
    "full in {left|duration}, between {early|duration} and {late|duration}, if it goes on like this",
  "reason.trend": "rose by {rise|unit} in {span|duration}",
  "reason.faster": "rises faster and faster",
  "reason.slower": "rises slower and slower",
  "reason.habit":
    "earlier rises came back after about {period|duration}: the forecast is of their peaks, which grow",
  "reason.young":
    "known for less than a day and a half: a rise that comes back every day would not be known yet",
  "reason.prior": "compared with what is usual for its kind: its own history is still too short",
  "reason.provisional": "judged by its kind's bounds: its own history is still too short",
  "reason.incomplete": "only {share|percent} of the expected samples were there",
  "reason.feedback": "judged with {times} times the usual threshold, by operators' feedback",
  "reason.failed": "{bad} of {events} failed in the last {window|duration}; usually {usual|percent}",
  "reason.failed_new": "{bad} of {events} failed in the last {window|duration}",
  "reason.refused": "{bad} of {events} were refused in the last {window|duration}; usually {usual|percent}",
  "reason.refused_new": "{bad} of {events} were refused in the last {window|duration}",
  "reason.most": "more than half of them: trouble, whatever is usual",
  "reason.bursty": "they come in bursts here, so many at once are less of a surprise",
  "reason.volume": "{events} came in {window|duration}; about {expected} would be usual",
  "reason.host_metrics": "most unlike themselves: {metrics}",
  "reason.host_share": "{share|percent} of its metrics are unusual now",
  "reason.peers": "unlike its {siblings} siblings, the hosts that do the same work",
  "reason.group": "{hosts} of the {members} hosts of {group} show it together",
  "reason.joined": "goes on in the incident of {group}",
  "reason.agent_died": "the connection was closed by the host, and nobody came back",
  "reason.unreachable": "the connection went dead, and nobody came back",
  "reason.left_behind": "others fell silent at the same moment and are back",
  "reason.partition": "several hosts fell silent at the same moment",
  "reason.partition_all": "every host fell silent at the same moment",
  "reason.partition_network": "every host of network {network} fell silent at the same moment",
  "reason.gone": "not heard for {silent|duration}: counts as taken out of service",

  "drill.failed":
    "{where} explains {share|percent} of the failures beyond what is usual ({bad} of {events}; about {usual} would be usual)",
  "drill.failed_next":
    "{where} explains {share|percent} of the failures beyond what is usual ({bad} of {events}; about {usual} would be usual); next best {next_where}, {next|percent}",
  "drill.refused":
    "{where} explains {share|percent} of the refusals beyond what is usual ({bad} of {events}; about {usual} would be usual)",
  "drill.refused_next":
    "{where} explains {share|percent} of the refusals beyond what is usual ({bad} of {events}; about {usual} would be usual); next best {next_where}, {next|percent}",
  "drill.missing":
    "{where} explains {share|percent} of what is missing ({events} came; about {usual} would be usual)",
  "drill.missing_next":
    "{where} explains {share|percent} of what is missing ({events} came; about {usual} would be usual); next best {next_where}, {next|percent}",
  "drill.surplus":
    "{where} explains {share|percent} of what is too much ({events} came; about {usual} would be usual)",
  "drill.surplus_next":
    "{where} explains {share|percent} of what is too much ({events} came; about {usual} would be usual); next best {next_where}, {next|percent}",

  "severity.info": "info",
  "severity.warning": "warning",
  "severity.major": "major",
  "severity.critical": "critical",

  "timeline.started": "first abnormal sample",
  "timeline.opened": "incident opened",
  "timeline.cause": "cause: {cause}",
  "timeline.severity": "severity is now {severity}",
  "timeline.recovering": "every symptom is gone",
  "timeline.joined": "all of {group} shows it; goes on in the incident of that group",
  "timeline.gone": "{host} was not heard for {silent|duration} and counts as taken out of service",
  "timeline.gone_hosts":
    "{hosts} hosts were not heard for {silent|duration} and count as taken out of service",
  "timeline.relapsed": "symptoms came back",
  "timeline.resolved": "resolved by itself",
  "timeline.resolved_by": "resolved by {by}",
  "timeline.reopened": "reopened: the same trouble came back",
  "timeline.calm": "resolved: calm for a quarter of an hour",
  "timeline.flapping": "comes and goes: held open until it is calm",
  "timeline.expired": "expired: no news for two days",
  "timeline.merged": "turned out to be {incident}, and goes on there",
  "timeline.absorbed": "{incident} turned out to be part of this",
  "timeline.suppressed": "its hosts are silent: look at {incident} first",
  "timeline.unsuppressed": "its hosts are back, and it is still there",
  "timeline.cause_confirmed": "cause confirmed by {by}: {entity}",
  "timeline.cause_corrected": "cause corrected by {by}: {entity}",
  "timeline.cause_withdrawn": "confirmed cause withdrawn by {by}",
  "timeline.acknowledged": "acknowledged by {by}",
  "timeline.feedback_useful": "called useful by {by}",
  "timeline.feedback_noise": "called noise by {by}",
  "timeline.feedback_withdrawn": "feedback withdrawn by {by}",
} as const;

export type Catalogue = { readonly [K in keyof typeof en]: string };
