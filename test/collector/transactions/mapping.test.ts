import assert from "node:assert/strict";
import { test } from "node:test";
import { createTransactions, parseMapping } from "#collector/transactions/transactions.ts";
import { seriesId } from "#shared/series.ts";
import { counter } from "./bank.ts";

const entry = {
  metric: "core_trans_*",
  as: "bank_txn_total",
  labels: { chnl: "channel", prod_cd: "product" },
  drop: ["thread"],
  result: {
    from: "ret_code",
    ok: ["0000"],
    sys_fail: ["S*", "9999"],
    timeout: ["T01"],
    otherwise: "biz_fail",
  },
};

test("a bank's own counters become the convention's", () => {
  const mapping = parseMapping([entry], "mapping");
  const mapped = (code: string): string =>
    seriesId(
      mapping.map(
        counter("core_trans_cnt", { chnl: "app", prod_cd: "pay", thread: "7", ret_code: code, org: "sz" }),
      ),
    );
  const as = (result: string): string =>
    `bank_txn_total{channel="app",org="sz",product="pay",result="${result}"}`;
  assert.equal(mapped("0000"), as("ok"));
  assert.equal(mapped("S123"), as("sys_fail"));
  assert.equal(mapped("9999"), as("sys_fail"));
  assert.equal(mapped("T01"), as("timeout"));
  assert.equal(mapped("E5102"), as("biz_fail"));
});

test("what no entry fits stays as it is", () => {
  const series = counter("http_requests_total", { code: "200" });
  assert.equal(parseMapping([entry], "mapping").map(series), series);
});

test("mapped counters are counted under the convention's family, found by their own name", () => {
  const transactions = createTransactions({ mapping: parseMapping([entry], "mapping") });
  transactions.define("h", 0, counter("core_trans_cnt", { chnl: "app", ret_code: "0000" }));
  assert.equal(transactions.familyOf("core_trans_cnt"), "bank_txn");
  assert.deepEqual(transactions.families()[0]!.dimensions, ["channel", "node"]);
});

test("every mistake in a mapping is told at its place", () => {
  const cases: readonly (readonly [unknown, RegExp])[] = [
    [{}, /^mapping: want a list, got \{\}$/],
    [
      [{ ...entry, metrics: "x" }],
      /^mapping\[0\]\.metrics: unknown key; want one of metric, as, labels, drop, result$/,
    ],
    [[{ as: "x" }], /^mapping\[0\]\.metric: want a text that is not empty, got nothing$/],
    [
      [{ ...entry, labels: { chnl: 3 } }],
      /^mapping\[0\]\.labels\.chnl: want a text that is not empty, got 3$/,
    ],
    [[{ ...entry, drop: "thread" }], /^mapping\[0\]\.drop: want a list, got "thread"$/],
    [
      [{ ...entry, result: { from: "c", fail: ["1"] } }],
      /^mapping\[0\]\.result\.fail: unknown key; want one of from, /,
    ],
    [
      [{ ...entry, result: { from: "c", otherwise: "bad" } }],
      /^mapping\[0\]\.result\.otherwise: want one of ok, biz_fail, /,
    ],
    [[entry, { metric: 1, as: 2 }], /^mapping\[1\]\.metric: .*\nmapping\[1\]\.as: want a text/],
  ];
  for (const [raw, message] of cases) assert.throws(() => parseMapping(raw, "mapping"), { message });
});
