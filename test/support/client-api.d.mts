/** A declaration as others see it. */
type Visible = { readonly text: string; readonly isExported: boolean };

/** Everything that an entry exports, by name, and the types of ours that it needs besides. */
export function surfaceOf(entry: string): Map<string, Visible>;

/** The report of every entry. */
export function apiReport(): string;
