import assert from "node:assert/strict";
import { test } from "node:test";
import { collectorSchema } from "#collector/config.ts";
import { usualPolicy } from "#collector/detect/detect.ts";
import { policyHash } from "#collector/policy/policy.ts";
import { topologyPolicyOf } from "#collector/policy/topology-settings.ts";
import { usualTopologyPolicy } from "#collector/topology/topology.ts";
import { readConfig } from "#shared/config-file.ts";
import { ConfigError } from "#shared/errors.ts";

async function policyOf(topology: string) {
  const config = await readConfig(`{"topology": ${topology}}`, "c.json", collectorSchema);
  return topologyPolicyOf(config.topology);
}

async function problems(topology: string): Promise<readonly string[]> {
  try {
    await policyOf(topology);
    return [];
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.problems.map((problem) => problem.replace("topology.", ""));
  }
}

test("without settings the topology is the usual one, and the policy keeps its name", async () => {
  assert.deepEqual(await policyOf("{}"), usualTopologyPolicy);
  assert.equal(policyHash(usualPolicy, await policyOf("{}")), policyHash(usualPolicy));
  assert.notEqual(policyHash(usualPolicy, await policyOf('{"edgeKeptFor": "7d"}')), policyHash(usualPolicy));
});

test("zones and declared edges are read as they are written", async () => {
  const text = `{
    "edgeKeptFor": "7d",
    "zones": [{"name": "hk-east", "hosts": ["web-*", "pay-0?"]}, {"name": "hk-west", "hosts": "dr-*"}],
    "edges": [{"caller": "mq-01/mq", "callee": "batch-01"}]
  }`;
  assert.deepEqual(await policyOf(text), {
    edgeKeptMs: 7 * 86_400_000,
    zones: [
      { name: "hk-east", hosts: ["web-*", "pay-0?"] },
      { name: "hk-west", hosts: ["dr-*"] },
    ],
    declared: [["mq-01/mq", "batch-01"]],
  });
});

test("what can never be an edge or a zone is told with its line", async () => {
  const end = 'want a host like "db-01", or a host and its service like "db-01/postgres"';
  assert.deepEqual(
    await problems(`{
      "edgesKeptFor": "7d",
      "edgeKeptFor": 7,
      "zones": [
        {"name": "a"},
        {"hosts": "web-*"},
        {"name": "b", "hosts": []},
        {"name": "c", "host": "web-*", "hosts": "x"}
      ],
      "edges": [
        {"caller": "mq-01"},
        {"caller": "/mq", "callee": "a"},
        {"caller": "a", "callee": "a"},
        {"from": "a", "caller": "a", "callee": "b"}
      ]
    }`),
    [
      'c.json:2: edgesKeptFor: unknown key; did you mean "edgeKeptFor"?',
      'c.json:3: edgeKeptFor: want a duration from "1h" to "60d", got 7',
      'c.json:5: zones[0].hosts: missing; say which: "web-*", or a list of patterns',
      "c.json:6: zones[1].name: missing; hosts are shown to stand in it",
      "c.json:7: zones[2].hosts: an empty list can never match; leave the key out to match everything",
      'c.json:8: zones[3].host: unknown key; did you mean "hosts"?',
      `c.json:11: edges[0].callee: missing; ${end}`,
      `c.json:12: edges[1].caller: ${end}, got "/mq"`,
      "c.json:13: edges[2].callee: nobody calls itself; an edge needs two ends",
      "c.json:14: edges[3].from: unknown key; known are caller, callee",
    ],
  );
  assert.deepEqual(await problems('{"zones": [{"name": "a", "hosts": "a"}, {"name": "a", "hosts": "b"}]}'), [
    'c.json:1: zones: two zones are called "a"; list all hosts of it in one',
  ]);
});
