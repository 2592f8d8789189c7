/** The channels that every client with streams has. */
export const TICK_NAMES = ["trades", "quotes"] as const;
