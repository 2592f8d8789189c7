import { quotedText } from "#core/visible-text.ts";
import type { Command } from "commander";
import type { TickwireConfig } from "#config/config.ts";
import { ingestConfig, type VenueConfig } from "#ingest/config.ts";
import { isOwnMarket } from "#ingest/venue-network.ts";
import { ConfigError } from "#config/config-error.ts";
import { collect } from "./config-options.ts";
import { UsageError } from "./errors.ts";

type Chaos = NonNullable<VenueConfig["simulated"]>["chaos"];

/** The parts of `--chaos`, each as it is written. */
export const CHAOS_FORMS = [
  "drop=0.1%",
  "delay=1%:500ms",
  "reorder=0.1%",
  "crossed=0.5%",
  "disconnect=10m",
  "silence=5m:15s",
] as const;

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** Adds the repeatable `--chaos`. */
export function addChaosOption(command: Command): Command {
  return command.option(
    "--chaos <faults>",
    `faults of the simulated venue, such as ${CHAOS_FORMS.slice(0, 2).join(",")}; repeatable`,
    collect,
  );
}

/** The configuration with the faults that `--chaos` asks for. Throws UsageError. */
export function withChaos(
  config: TickwireConfig,
  texts: readonly string[] | undefined,
  { isReplay }: { readonly isReplay: boolean },
): TickwireConfig {
  if (texts === undefined || texts.length === 0) return config;
  if (isReplay)
    throw new UsageError("--chaos makes faults of the simulated venue, and not of --replay");
  const asked = Object.assign({}, ...texts.map(parseChaos)) as Partial<Chaos>;
  const { venues } = config.ingest;
  if (!venues.some(({ id }) => id === "simulated")) {
    const named = venues.map(({ id }) => id).join(", ");
    throw new UsageError(`--chaos only works on the simulated venue, and not on ${named}`);
  }
  if (!venues.some(isOwnMarket)) {
    throw new UsageError("--chaos works on a market of this process, and not on one elsewhere");
  }
  const changed = venues.map((venue) => (venue.id === "simulated" ? askedOf(venue, asked) : venue));
  return { ...config, ingest: { ...config.ingest, venues: changed } };
}

/** Checked as the rest of the configuration is, where limits stand. */
function askedOf(venue: VenueConfig, asked: Partial<Chaos>): VenueConfig {
  const simulated = { ...venue.simulated, chaos: { ...venue.simulated?.chaos, ...asked } };
  try {
    const [checked] = ingestConfig({ venues: [{ ...venue, simulated }] }).venues;
    return checked ?? venue;
  } catch (error) {
    const problem = error instanceof Error ? problemOf(error) : String(error);
    throw new ConfigError([{ key: "ingest.venues", problem, origin: "flag --chaos" }]);
  }
}

function problemOf(error: Error): string {
  const issues = "issues" in error && Array.isArray(error.issues) ? error.issues : [];
  const [first] = issues as readonly { path?: readonly unknown[]; message?: string }[];
  return first === undefined
    ? error.message
    : `${String(first.path?.at(-1))}: ${first.message ?? ""}`;
}

/** `drop=0.1%,delay=1%:500ms` as settings. Throws UsageError. */
export function parseChaos(text: string): Partial<Chaos> {
  return Object.assign({}, ...text.split(",").map(parseFault)) as Partial<Chaos>;
}

function parseFault(text: string): Partial<Chaos> {
  const [, name = "", value = ""] = /^(\w+)=(.+)$/.exec(text.trim()) ?? [];
  const [first = "", second] = value.split(":");
  const share = shareOf(first);
  const [firstMs, secondMs] = [millisecondsOf(first), millisecondsOf(second ?? "")];
  const isAlone = second === undefined;
  if (share !== undefined) {
    if (name === "drop" && isAlone) return { dropShare: share };
    if (name === "reorder" && isAlone) return { reorderShare: share };
    if (name === "crossed" && isAlone) return { crossedShare: share };
    if (name === "delay" && isAlone) return { delayShare: share };
    if (name === "delay" && secondMs !== undefined) return { delayShare: share, delayMs: secondMs };
  }
  if (firstMs !== undefined) {
    if (name === "disconnect" && isAlone) return { disconnectIntervalMs: firstMs };
    if (name === "silence" && isAlone) return { silenceIntervalMs: firstMs };
    if (name === "silence" && secondMs !== undefined) {
      return { silenceIntervalMs: firstMs, silenceMs: secondMs };
    }
  }
  throw new UsageError(
    `--chaos cannot read ${quotedText(text)}; write such as ${CHAOS_FORMS.join(", ")}`,
  );
}

/** `0.1%` as 0.001. */
function shareOf(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)%$/.exec(text);
  if (match === null || Number(match[1]) > 100) return undefined;
  return Number(match[1]) / 100;
}

/** `500ms`, `30s`, `10m`, `1h`. */
function millisecondsOf(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text);
  if (match === null) return undefined;
  return Math.round(Number(match[1]) * (UNIT_MS[match[2] ?? ""] ?? 0));
}
