import { Argument, Command, Option } from "commander";
import { expect, test } from "vitest";
import { complete, type CompletionSources } from "./completion.ts";

const SOURCES: CompletionSources = {
  venues: ["binance", "kraken", "simulated"],
  channels: ["trades", "book"],
  methods: ["GetServerTime", "GetSnapshot"],
  chaos: ["drop=0.1%"],
  liveVenues: () => Promise.resolve(["simulated"]),
  symbols: (venue) => Promise.resolve(venue === "simulated" ? ["BTC-USD", "ETH-USD"] : []),
};

function program(): Command {
  const top = new Command("tickwire");
  const subscribe = new Command("subscribe")
    .argument("<topic...>")
    .option("--json", "as JSON. And more.\nAnd a line")
    .option("--url <url>", "where")
    .addOption(new Option("--log-level <level>", "how much").choices(["info", "warn"]));
  const dev = new Command("dev").option("--venue <id>", "which").option("--chaos <faults>", "f");
  const shell = new Argument("<shell>", "which").choices(["bash", "zsh"]);
  const keys = new Command("keys").addCommand(new Command("add").summary("makes one"));
  keys.addCommand(new Command("hidden"), { hidden: true });
  const call = new Command("call").argument("<method>").argument("[json]");
  const completion = new Command("completion").addArgument(shell);
  for (const each of [subscribe, dev, keys, call, completion]) top.addCommand(each);
  return top.helpCommand(false);
}

async function texts(...words: readonly string[]): Promise<readonly string[]> {
  return (await complete(program(), words, SOURCES)).map(({ text }) => text);
}

test.each([
  [["subs"], ["subscribe"]],
  [
    ["subscribe", "--"],
    ["--json", "--url", "--log-level"],
  ],
  [
    ["subscribe", "--log-level", ""],
    ["info", "warn"],
  ],
  [["subscribe", "--url", ""], []],
  [["subscribe", ""], ["simulated:"]],
  [
    ["subscribe", "simulated:"],
    ["simulated:BTC-USD/", "simulated:ETH-USD/"],
  ],
  [["subscribe", "simulated:E"], ["simulated:ETH-USD/"]],
  [["subscribe", "simulated:BTC-USD/t"], ["simulated:BTC-USD/trades"]],
  [["subscribe", "--url", "x", "a:b/c", "simulated:BTC-USD/b"], ["simulated:BTC-USD/book"]],
  [["dev", "--venue", "k"], ["kraken"]],
  [["dev", "--chaos", ""], ["drop=0.1%"]],
  [["dev", ""], []],
  [["keys", "a"], ["add"]],
  [
    ["call", "GetS"],
    ["GetServerTime", "GetSnapshot"],
  ],
  [["call", "GetSnapshot", ""], []],
  [["completion", "z"], ["zsh"]],
])("%j goes on with %j", async (words, expected) => {
  expect(await texts(...words)).toEqual(expected);
});

test("what each is for is one line", async () => {
  const [json] = await complete(program(), ["subscribe", "--j"], SOURCES);
  expect(json).toEqual({ text: "--json", about: "as JSON. And more." });
});
