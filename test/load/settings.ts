// What `npm run load` says to a script, by its environment.

type Profile = "laptop" | "cluster";

export const PROFILE: Profile = __ENV["LOAD_PROFILE"] === "cluster" ? "cluster" : "laptop";
export const SECONDS = Number(__ENV["LOAD_SECONDS"] ?? 30);
export const TARGET = {
  url: __ENV["LOAD_URL"] ?? "ws://127.0.0.1:8080/v1/ws",
  token: __ENV["LOAD_TOKEN"] ?? "",
};
/** The venue whose topics are asked for. */
export const VENUE = __ENV["LOAD_VENUE"] ?? "simulated";
/** Symbols of it. */
export const SYMBOLS = (__ENV["LOAD_SYMBOLS"] ?? "BTC-USD,ETH-USD").split(",");

/** The figure of the profile that was asked for. */
export const sized = (sizes: Readonly<Record<Profile, number>>): number => sizes[PROFILE];

/** What holds for every load: whatever happens, frames are right and nothing is lost in silence. */
export const SOUND = {
  load_gaps: ["count==0"],
  load_broken: ["count==0"],
  load_refused_topics: ["count==0"],
  load_connects: ["rate>0.99"],
};

/** A delay that nearly all batches keep. k6 decodes slowly, so that one machine for all is slow. */
export const DELAY = [`p(95)<${sized({ laptop: 3_000, cluster: 500 })}`];

/** Scenario in which each virtual user is one client from start to end. */
export const eachForAllTime = (clients: number) => ({
  executor: "per-vu-iterations" as const,
  vus: clients,
  iterations: 1,
  maxDuration: `${SECONDS + 30}s`,
  tags: { profile: PROFILE },
});
