/**
 * What a service needs of a logger; pino's satisfies it. Fields first, then one sentence. One line
 * per event in a lifecycle, none per message.
 */
export type Logger = {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
};
