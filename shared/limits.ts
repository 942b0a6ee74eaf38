/**
 * Every bound in the product, each with its reason. What exceeds one is refused or dropped with a count; nothing grows
 * without a limit.
 */
export const limits = {
  /** A frame of 20,000 series in its widest form is 500 KB with its dictionary; twice that is not a frame. */
  frameBytesMax: 1024 * 1024,
  /** One host's series. 600 is usual, a container host reaches 10,000; beyond that a label is running away. */
  seriesPerHostMax: 20_000,
  /**
   * What has not been measured for this long is over, and its place is free: a week, so that what runs at weekends only stays
   * known; a day for what is never the same again, like a process.
   */
  seriesKeptMs: 7 * 86_400_000,
  shortLivedSeriesKeptMs: 86_400_000,
  /** Series of one host that are kept although nothing measures them any more: a thousand processes that came and went. */
  idleSeriesPerHostMax: 4_000,
  /**
   * Edges that an agent tells in each direction, the largest of those that it sees; the rest is summed up. A service calls a
   * dozen others; a thousand clients are one crowd.
   */
  edgesPerDirectionMax: 100,
  /** Edges whose round-trip time and retransmits are told: both are judged, and a host's dependencies are a few dozen. */
  edgeTimingsPerHostMax: 64,
  /** Ends of edges kept of one host, the largest: a day of a web server's clients, told two hundred at a time; 400 bytes each. */
  topologyEndsPerHostMax: 1_000,
  /** Listening ports kept of one host; an agent tells at most 500. */
  topologyListenersPerHostMax: 1_000,
  /** Pairs of services whose calls were seen in spans: a bank of a thousand services has a few thousand. */
  topologyCallsMax: 10_000,
  /** Edges declared in the settings. */
  topologyDeclaredMax: 10_000,
  topologyZonesMax: 500,
  /** Of one answer, the largest edges: 350 bytes each, and no picture shows more. */
  topologyEdgesListedMax: 5_000,
  topologyNodesListedMax: 5_000,
  /** A host that was not heard for this long counts as taken out of service: longer than a holiday's shutdown of a test system. */
  hostGoneMs: 7 * 86_400_000,
  /** And is shown as gone for this long, so that whoever comes back from a week off still sees it. */
  hostGoneShownMs: 7 * 86_400_000,

  /**
   * Moments at which a series was unusual, to say that now is like them: ten of each of a host's hundred that were so last (16 KB a
   * host at most), for as long as the journal can still show what it was.
   */
  momentsPerSeriesMax: 10,
  momentSeriesPerHostMax: 100,
  momentKeptMs: 30 * 86_400_000,
  /** Flows of requests or transactions that are judged as counts, of one host: routes by methods; 1.3 KB each. */
  countFlowsPerHostMax: 1_000,

  /**
   * What one drill-down looks through: leaves of the largest public cases for its method, and attributes whose combinations of up to three
   * are 92 sets. It stays below a tenth of a second.
   */
  drillLeavesMax: 50_000,
  drillAttributesMax: 8,
  /** Leaves of one family of transactions (700 bytes each), of all together, and families: a bank has a few dozen. */
  transactionLeavesPerFamilyMax: 20_000,
  transactionLeavesMax: 60_000,
  transactionFamiliesMax: 200,
  /** Entries of the mapping of transactions' metrics, and patterns of one of them. */
  transactionMappingsMax: 200,
  transactionMappingPatternsMax: 200,

  /** Ticks in one frame: a minute at 1 s. */
  ticksPerFrameMax: 64,
  /** Prometheus and OpenTelemetry names in the field stay far below; a longer one is a payload. */
  metricNameBytesMax: 255,
  labelNameBytesMax: 128,
  /** OpenTelemetry's usual attribute limit is 1,024. */
  labelValueBytesMax: 1024,
  labelsPerSeriesMax: 32,
  /** Control messages (hello, welcome, acknowledgement) are a few hundred bytes. */
  controlBytesMax: 16 * 1024,
  /** Loss records in one frame: one per segment dropped while a collector was away for weeks. */
  lossesPerFrameMax: 256,

  /** Frames from a key frame to the next: an hour at 10 s. More makes replay slower, fewer repeats the dictionary oftener. */
  segmentFramesMax: 360,
  /** A segment's bytes: the unit in which a full spool drops its oldest. */
  segmentBytesMax: 2 * 1024 * 1024,
  /** The agent's spool: 512 MB is 40 days of 600 series at 10 s. */
  spoolBytesMax: 512 * 1024 * 1024,
  spoolAgeMsMax: 7 * 86_400_000,
  /** Frames sent and not yet acknowledged. */
  unackedFramesMax: 256,

  /** Series of one host whose history is kept for forecasts, 2.3 KB each: filesystems, memories, the largest processes. */
  forecastSeriesPerHostMax: 64,
  /** Forecasts of one host shown, soonest first: all hosts travel in one frame. */
  forecastsListedMax: 8,

  /** An agent's clock may differ by this much from the collector's before its times are corrected and the host is flagged. */
  clockErrorMsMax: 60_000,
  /** Agents that may say hello per second, so that ten thousand returning at once do not starve the samples. */
  agentHellosPerSecondMax: 500,
  agentConnectionsMax: 20_000,
  /** Bytes received and not yet durable, over all agents; beyond it the collector stops reading from sockets. */
  ingestBytesInFlightMax: 64 * 1024 * 1024,
  /** Group commit: how long the first frame of a batch waits for company. What a power cut can cost is never more. */
  groupCommitMs: 20,

  /** An OTLP request before and after decompression; the specification recommends it. */
  otlpBodyBytesMax: 20 * 1024 * 1024,
  /** Bodies that are remembered to know a repeated one: a minute of 60 requests a second; a client tries again for a minute. */
  otlpBodiesRememberedMax: 4_096,
  /** Services by places that send OTLP; each costs its series and one frame an interval. */
  otlpSourcesMax: 1_000,
  /** Series of one OTLP source: an application has some hundred; beyond that an attribute is running away. */
  otlpSeriesPerSourceMax: 2_000,
  /** Bytes of their names and labels, so that a key frame with all of them fits into a frame. */
  otlpDefinitionBytesMax: 384 * 1024,
  /** Processes of one service at one place that are told apart: workers of a server, pods of a deployment, twice while it rolls. */
  otlpInstancesMax: 128,
  /** What one service calls, and who calls it through queues; what is beyond is counted together as "other". */
  otlpEdgesPerSourceMax: 200,
  /** Spans that are remembered to find the service that called: five seconds of 10,000 spans a second, 8 MB. */
  otlpSpansRememberedMax: 50_000,
  /** An interval takes what comes this long after its end: an SDK keeps spans for 5 s, a gateway for as long again. */
  otlpLatenessMs: 15_000,
  /** A service that sends spans and has had none for this long is no longer told as having no requests. */
  otlpIdleMs: 3_600_000,

  /** The journal, oldest first: 8 GiB is 30 days of 20 hosts with 600 series at 10 s. What goes is no loss: it was judged. */
  journalBytesMax: 8 * 1024 * 1024 * 1024,
  journalAgeMsMax: 30 * 86_400_000,

  /** Rules of detection's policy: each is matched against every new series. */
  policyRulesMax: 500,
  /** Keys and patterns of one match. */
  matchKeysMax: 32,
  matchPatternsMax: 100,
  /** Groups of hosts that are compared with each other: a bank has a few hundred services. */
  peerGroupsMax: 500,
  /** Metrics of one host that are compared with its siblings', processes aside: 300 are usual. */
  peerMetricsPerHostMax: 500,
  /** Looked through once a host and tick; ten changes a week for a year are 500. */
  maintenanceWindowsMax: 1_000,
  /** Classes of days with the built-in ones and the batch windows: each is learned for itself, and needs days to learn from. */
  dayClassesMax: 16,
  /** Entries in a list of days; a decade of a bank's holidays is 300. */
  calendarDaysMax: 1_000,
  /** Changes to the systems that are remembered, newest first, and for how long: a bank makes some hundred a day. */
  changesKeptMax: 5_000,
  changesKeptMs: 7 * 86_400_000,
  /** One request of changes: a batch of a release train. Larger than a comment, and still read whole. */
  changesPerRequestMax: 100,
  changesBytesMax: 256 * 1024,
  changesListedMax: 500,
  /** Services whose hosts are known, for changes that name a service, and hosts of each: the largest run on some thousand. */
  servicesKnownMax: 20_000,
  hostsPerServiceMax: 5_000,
  /** Past incidents that a new one is compared with, newest first; those whose cause was confirmed stay longest. 1 KB each. */
  fingerprintsKeptMax: 1_000,
  /** Evidence that belongs to no incident and waits for one: a host has tens, and thousands of hosts some each. */
  weakSignalsMax: 50_000,
  /** Series of which it is kept how much of the time they are abnormal. 200 B each. */
  rarityKeptMax: 20_000,
  /** Hosts that an incident names; how many there are is told beside. */
  incidentHostsMax: 100,

  /** Changes of version or policy that the collector remembers to show; the journal has them all, as long as it keeps. */
  judgesKeptMax: 100,

  /** Console sockets, and what one slow reader may hold back before conflated channels stop and, later, it is closed. */
  liveClientsMax: 1_000,
  liveSlowBytes: 256 * 1024,
  liveTooSlowBytes: 1024 * 1024,
  liveTooSlowMs: 5_000,
  liveFrameBytesMax: 256 * 1024,
  /** Deltas of an exact channel kept for readers that come back. */
  liveRingMax: 10_000,
  liveHelloTimeoutMs: 5_000,
  /** API request bodies are a comment at most; a list of changes is the one that is longer. */
  requestBytesMax: 16 * 1024,
  /** Points of one series in one answer: a screen is not wider. */
  seriesPointsMax: 2_000,
  incidentsListedMax: 500,
  /** Series whose thresholds operators' feedback moved, in one answer; those that moved most come first. */
  feedbackSeriesListedMax: 1_000,
  /** What one console socket may say in a minute: a console says four frames when it connects. Each `sub` costs a snapshot. */
  liveClientFramesPerMinuteMax: 120,
  /** Headers of one request; a browser sends 1 to 2 KB. */
  requestHeaderBytesMax: 16 * 1024,
  /** Sockets that are neither an agent nor a console: API calls, scrapes, probes. */
  httpConnectionsMax: 2_000,
  /** The built console, read into memory at start; it is below 1 MB. */
  consoleBytesMax: 32 * 1024 * 1024,
  /** Resolved incidents kept in the store, newest first. At 20 a day that is more than a year. */
  incidentsKeptMax: 10_000,
  /** Rows of the completeness ledger; beyond it the oldest go. */
  lossesKeptMax: 200_000,
  lossesListedMax: 1_000,
  /** How long the answer to a command is remembered for a repeat of it. */
  commandsKeptMs: 86_400_000,
} as const;

export type Limits = { readonly [K in keyof typeof limits]: number };
