import type { LaneListener } from "#gateway/session/outbound/topic-lanes.ts";

/** For lanes of which a test asks what is in them. */
export const NO_LANE_LISTENER: LaneListener = {
  onNews() {},
  onStart() {},
  onListDue() {},
  onListTaken() {},
  onListSent() {},
};
