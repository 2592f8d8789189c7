import type { Principal } from "../access/principal.ts";
import type { HttpRequest } from "../transport/transport.ts";

/** A request of somebody who is known, or known to have proved nothing. */
export type AskedRequest = HttpRequest & { readonly principal: Principal };
