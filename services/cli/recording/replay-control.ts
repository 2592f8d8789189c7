import { z } from "zod";
import { REPLAY_SPEED_MAX, REPLAY_SPEED_MIN } from "#recording/replay/replay-player.ts";
import type { ReplayPlayer, ReplayStatus } from "#recording/replay/replay-player.ts";
import type { AdminCommand } from "#runtime/admin-server.ts";

const STEPS_MAX = 1_000_000;

const speed = z.union([z.literal("max"), z.number().min(REPLAY_SPEED_MIN).max(REPLAY_SPEED_MAX)]);

/** What can be asked of a replay. Times are ISO texts, or seconds from the start of its range. */
const actionSchema = z.discriminatedUnion("action", [
  z.strictObject({ action: z.literal("pause") }),
  z.strictObject({ action: z.literal("resume") }),
  z.strictObject({
    action: z.literal("step"),
    count: z.int().min(1).max(STEPS_MAX).default(1),
  }),
  z.strictObject({ action: z.literal("speed"), speed }),
  z.strictObject({ action: z.literal("loop"), loop: z.boolean() }),
  z.strictObject({ action: z.literal("seek"), to: z.union([z.string(), z.number().min(0)]) }),
]);

type ReplayAction = z.infer<typeof actionSchema>;

/** `/admin/replay`: what a replay does, and how it is told to do something else. */
export function replayCommand(player: ReplayPlayer): AdminCommand {
  return {
    show: () => shownStatus(player.status),
    run: (asked) => {
      const parsed = actionSchema.safeParse(asked);
      if (!parsed.success) return describeIssues(parsed.error);
      return perform(player, parsed.data) ?? shownStatus(player.status);
    },
  };
}

/** What is wrong with the action, if anything is. */
function perform(player: ReplayPlayer, asked: ReplayAction): string | undefined {
  switch (asked.action) {
    case "pause":
      player.pause();
      return undefined;
    case "resume":
      player.resume();
      return undefined;
    case "step":
      player.step(asked.count);
      return undefined;
    case "speed":
      player.setSpeed(asked.speed);
      return undefined;
    case "loop":
      player.setLoop(asked.loop);
      return undefined;
    case "seek": {
      const timeUs = timeOf(asked.to, player.status.fromTimeUs);
      if (timeUs === undefined) return "to: a time like 2026-11-26T10:00:00Z, or seconds";
      player.seek(timeUs);
      return undefined;
    }
  }
}

/** A time of a recording from an ISO text, or from seconds behind a start. */
function timeOf(text: string | number, startUs: number): number | undefined {
  const seconds = typeof text === "number" || /^\d+(\.\d+)?$/.test(text) ? Number(text) : undefined;
  if (seconds !== undefined) return startUs + Math.round(seconds * 1e6);
  const timeUs = Date.parse(String(text)) * 1_000;
  return Number.isSafeInteger(timeUs) ? timeUs : undefined;
}

function shownStatus({ positionTimeUs, fromTimeUs, toTimeUs, ...rest }: ReplayStatus): object {
  const iso = (timeUs: number): string => new Date(timeUs / 1_000).toISOString();
  return {
    ...rest,
    position: iso(positionTimeUs),
    from: iso(fromTimeUs),
    to: iso(toTimeUs),
    positionSeconds: (positionTimeUs - fromTimeUs) / 1e6,
    lengthSeconds: (toTimeUs - fromTimeUs) / 1e6,
  };
}

function describeIssues({ issues }: z.ZodError): string {
  return issues.map(({ path, message }) => `${path.join(".") || "action"}: ${message}`).join("; ");
}
