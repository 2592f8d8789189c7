import type { ServiceState, StatePage, StateQuery } from "#core/state-page.ts";

/** What is answered under /admin/state, as JSON. */
type StateAnswer = { readonly status: number; readonly body: object };

const ROWS_DEFAULT = 100;
const ROWS_MAX = 500;
/** A name or an id that is longer is none. */
const PARAMETER_LENGTH_MAX = 300;

/**
 * Answers for `path`, which is empty for the totals of every service of the process, or the name of
 * a list. `process` says what the process says of itself.
 */
export async function answerState(
  request: { readonly path: string; readonly query: URLSearchParams },
  services: readonly ServiceState[],
  process: object,
): Promise<StateAnswer> {
  const { path, query } = request;
  if (path === "") return { status: 200, body: await totals(services, process) };
  const page = services.map(({ pages }) => pages.get(path)).find((each) => each !== undefined);
  if (page === undefined) {
    const lists = listsOf(services).join(", ") || "no lists while the process starts";
    return refusal(404, `there is no list of that name; there are ${lists}`);
  }
  const read = readQuery(page, query);
  if (typeof read === "string") return refusal(400, read);
  const { rows, next } = await page.answer(read);
  return { status: 200, body: { list: path, rows, next } };
}

async function totals(services: readonly ServiceState[], process: object): Promise<object> {
  const summaries = await Promise.all(
    services.map(async (service) => [service.name, await service.summary()] as const),
  );
  return { process, lists: listsOf(services), ...Object.fromEntries(summaries) };
}

function listsOf(services: readonly ServiceState[]): string[] {
  return services.flatMap(({ pages }) => [...pages.keys()]);
}

/** The query, or a sentence that says what is wrong with it. */
function readQuery(page: StatePage, query: URLSearchParams): StateQuery | string {
  const parameters = new Map<string, string>();
  let limit = ROWS_DEFAULT;
  let after = "";
  for (const [name, value] of query) {
    if (value.length > PARAMETER_LENGTH_MAX) {
      return `a parameter is longer than ${PARAMETER_LENGTH_MAX} characters`;
    }
    if (name === "limit") {
      limit = /^\d{1,9}$/.test(value) ? Number(value) : 0;
      if (limit < 1 || limit > ROWS_MAX) return `limit must be from 1 to ${ROWS_MAX}`;
    } else if (name === "after") {
      after = value;
    } else {
      const taken = page.parameters.get(name);
      if (taken === undefined) {
        const names = ["limit", "after", ...page.parameters.keys()];
        return `this list takes ${names.join(", ")}, and nothing else`;
      }
      if (taken !== "any" && !taken.includes(value)) {
        return `${name} must be one of ${taken.join(", ")}`;
      }
      parameters.set(name, value);
    }
  }
  if (page.needed !== undefined && !parameters.has(page.needed)) {
    return `this list needs the parameter ${page.needed}`;
  }
  return { limit, after, parameters };
}

function refusal(status: number, error: string): StateAnswer {
  return { status, body: { error } };
}
