import { GatewayLink } from "./page/gateway-link.ts";

/** The connection of this window, dialled as soon as this is loaded. */
export const link = new GatewayLink();
