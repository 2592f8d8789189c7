import type { Command } from "commander";
import { formatMarkdownTable } from "#config/markdown-table.ts";

const INTRODUCTION = `# The command line

\`tickwire\` is one program. \`npx tickwire --help\` lists what it can do by purpose; \`npx tickwire COMMAND --help\` has the
options and examples that stand below, which are read off the program.

## Colours and width

Where a terminal is, output has colours and tables are cut to its width. \`--color\` (anywhere on the line) colours what goes to files
and pipes too, \`--color=never\` or \`--no-color\` nothing. Without these, \`FORCE_COLOR\` and then \`NO_COLOR\` decide, and a terminal that
calls itself \`dumb\` gets none. Long work (\`replay\`, \`normalize\`, \`convert\`, \`record\`, \`doctor\`) shows on the bottom line of the terminal how far it is.

## Completion

\`\`\`sh
source <(tickwire completion bash)     # in ~/.bashrc
source <(tickwire completion zsh)      # in ~/.zshrc, after compinit
tickwire completion fish | source      # in ~/.config/fish/config.fish
\`\`\`

Commands, options, venues, channels and methods are completed, and the topics of the gateway that \`--url\` names (else the one
on \`127.0.0.1:8080\`), part by part. It waits 0.7 s at most.

## As JSON

@JSON@
\`watch\` draws a screen and \`completion\` prints a script: they have no such form.
Fields are added in later versions and keep their meaning. What is for people goes to standard error then.

## Errors

An error is one sentence on standard error that begins with \`tickwire:\`. Where what was typed is nearly something that exists (a command, an option, a
venue, a channel, a method, an instrument), it says what may have been meant.

@EXIT@`;

/** What is one line of JSON. */
const JSON_SHAPES = [
  ["command", "one line of JSON for"],
  ["`subscribe --json`", "each event, as [normalization.md](normalization.md) says"],
  [
    "`dev --json`, `gateway --json`, `ingest --json`, `derive --json`",
    "where it listens, once it does: `url`, `adminUrl`, `venues`, as far as it has them",
  ],
  [
    "`normalize --json`",
    "each event, whatever is asked; and on standard error the summary: `venue`, `frames`, `events`, `gaps`, ...",
  ],
  ["`call --json`", "each answer, as the schema in `proto/tickwire/v1` says"],
  [
    "`top --json`",
    "each look: `totals`, `venues`, `publishers`, `feeds`, `sessions`, `topics` ([admin.md](admin.md))",
  ],
  ["`publishers --json`", "each ingestor: `venue`, `shard`, `role`, `term`, `publisherId`, ..."],
  ["`venues --json`", "each venue: `venue`, `title`, `channels`, `bookProof`, ..."],
  ["`doctor --json`", "each check: `verdict` (`ok`, `warn`, `fail`), `name`, `text`"],
  ["`record --json`, `convert --json`", "what was written"],
  [
    "`replay --json`",
    "what was played, at the end: `venues`, `batches`, `rounds`, `damagedBytes`; of a capture what `normalize --json` says",
  ],
  ["`decode --json`", "what the bytes are (`form`), their messages, batches and events"],
  ["`capacity --json`", "what the load needs, and what that was computed of"],
  ["`keys list --json`", "each key"],
  ["`keys add --json`", "the `key`, and what is stored of it: `id`, `roles`, `createdTime`, ..."],
  ["`keys revoke --json`", "what was revoked: `kind`, `id`, `isNew`, `isPublished`"],
  ["`token new-key --json`", "`kid`, `algorithm`, `privateFile`, `keySet`; no secret"],
  ["`token make --json`", "the `token` and its `claims`"],
  ["`token inspect --json`", "`header`, `claims`, `signature`"],
];

const EXIT_CODES = [
  ["exit code", "means"],
  ["0", "done"],
  ["1", "it could not be done, or a check failed"],
  ["2", "wrong usage or configuration; nothing was begun"],
  ["130", "a second signal forced the end of a process that was still closing"],
];

/** The text of docs/cli.md, with the help of each command as the program prints it. */
export function cliDocument(program: Command): string {
  const purposes = new Map<string, Command[]>();
  for (const command of program.commands) {
    const purpose = command.helpGroup();
    purposes.set(purpose, [...(purposes.get(purpose) ?? []), command]);
  }
  const parts = [...purposes].map(([purpose, commands]) => {
    const title = `\n## ${purpose.replace(/:$/, "")}\n`;
    return title + commands.flatMap(withVisibleSubcommands).map(sectionOf).join("");
  });
  const introduction = INTRODUCTION.replace("@JSON@", formatMarkdownTable(JSON_SHAPES)).replace(
    "@EXIT@",
    formatMarkdownTable(EXIT_CODES),
  );
  return introduction + parts.join("");
}

function withVisibleSubcommands(command: Command): readonly Command[] {
  const below = command.createHelp().visibleCommands(command);
  return [command, ...below.filter((each) => each.name() !== "help")];
}

function sectionOf(command: Command): string {
  let help = "";
  command.configureOutput({
    writeOut: (text) => (help += text),
    getOutHelpWidth: () => 80,
    getOutHasColors: () => false,
  });
  command.outputHelp();
  const [usage = ""] = help.split("\n");
  const name = usage.replace(/^Usage: tickwire /, "").replace(/ \[.*$| <.*$/, "");
  return `\n### tickwire ${name}\n\n\`\`\`text\n${help.trimEnd()}\n\`\`\`\n`;
}
