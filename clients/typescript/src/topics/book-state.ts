import type { BookState } from "../events/book.ts";
import type { TopicStage } from "./topic-machine.ts";

/** How a book in that stage is shown to its consumers. */
export const BOOK_STATE: Readonly<Record<TopicStage, BookState>> = {
  syncing: "syncing",
  live: "live",
  rewinding: "resyncing",
  resyncing: "resyncing",
  suspended: "disconnected",
  disconnected: "disconnected",
};
